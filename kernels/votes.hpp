#pragma once

#include "kernels/row_statistics.hpp"

#include <cstdint>

namespace sluice::kernels {

/// The members' votes, each for the class its member holds most likely, ties for the lower class.
/// The member's scratch element 0 holds the class, as a number.
template <class Value>
struct Votes {
    RowView<Value> row;

    /// Casts them; true where every value of the row is finite.
    SLUICE_LANE MaskOf<Value> cast() const {
        Value finite{0.0F};
        for (std::int64_t m = 0; m < row.members; ++m) {
            Value highest = row.get(m, 0);
            Value vote{0.0F};
            finite = multiply_add(highest, Value(0.0F), finite);
            for (std::int64_t c = 1; c < row.classes; ++c) {
                const Value x = row.get_slowly(m, c);
                finite = multiply_add(x, Value(0.0F), finite);
                vote = select(highest < x, Value(static_cast<float>(c)), vote);
                highest = larger(x, highest);
            }
            store_lanes(row.scratch(m, 0), vote);
        }
        return equal(finite, Value(0.0F));
    }

    /// Number of members that vote as `member` does, itself among them.
    SLUICE_LANE Value with(std::int64_t member) const {
        const Value own = load_lanes<Value>(row.scratch(member, 0));
        Value count{0.0F};
        for (std::int64_t m = 0; m < row.members; ++m)
            count = add_where(equal(load_lanes<Value>(row.scratch(m, 0)), own), count, Value(1.0F));
        return count;
    }
};

}  // namespace sluice::kernels
