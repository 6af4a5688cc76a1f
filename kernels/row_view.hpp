#pragma once

#include "kernels/score_rows.hpp"
#include "kernels/simd/lane.hpp"

#include <cstdint>

namespace sluice::kernels {

/// Elements of scratch that a row's tile holds behind its members * classes values: two for a
/// member, and for a committee's logits three for a class.
SLUICE_HD constexpr std::int64_t scratch_elements(ScoreInput input, std::int64_t members,
                                                  std::int64_t classes) {
    return 2 * members + (input == ScoreInput::committee_logits ? 3 * classes : 0);
}

/// What a score functor sees: one row of a block, or as many rows as `Value` has lanes. Element e
/// of the row lies at values + e * stride. The tile is a copy that the functor may overwrite.
template <class Value>
struct RowView {
    float* values = nullptr;
    std::int64_t stride = 1;   ///< floats between consecutive elements
    std::int64_t members = 1;  ///< M
    std::int64_t classes = 0;  ///< C, or T
    /// Where the next rows lie in memory, or null.
    const float* next_rows = nullptr;

    SLUICE_LANE float* at(std::int64_t member, std::int64_t column) const {
        return values + (member * classes + column) * stride;
    }
    SLUICE_LANE Value get(std::int64_t member, std::int64_t column) const {
        return load_lanes<Value>(at(member, column));
    }
    /// As get, in the pass that takes longest: as many bytes of the next rows as these elements are
    /// on their way to the cache meanwhile.
    SLUICE_LANE Value get_slowly(std::int64_t member, std::int64_t column) const {
        fetch_early<Value>(next_rows, (member * classes + column) * stride);
        return get(member, column);
    }
    SLUICE_LANE void put(std::int64_t member, std::int64_t column, Value value) const {
        store_lanes(at(member, column), value);
    }

    /// Scratch element `which` of `member`, 0 or 1.
    SLUICE_LANE float* scratch(std::int64_t member, int which) const {
        return values + (members * classes + 2 * member + which) * stride;
    }
    /// Scratch element `which` of class `column`, 0 to 2; for a committee's logits only.
    SLUICE_LANE float* class_scratch(std::int64_t column, int which) const {
        return values + (members * (classes + 2) + 3 * column + which) * stride;
    }
};

}  // namespace sluice::kernels
