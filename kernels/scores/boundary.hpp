#pragma once

#include "kernels/score_concept.hpp"

namespace sluice::kernels {

/// Minus the gap between the two largest decision values, of a committee between the two largest of
/// the members' means: 0 (on the boundary) and less. Of a binary classifier f(x) whose two outputs
/// are -f/2 and f/2 it is -|f(x)|, the distance to a separating hyperplane in units of its margin.
/// Unlike the margin of a softmax it tells apart rows that are all certain.
/// \source Tong and Koller, "Support Vector Machine Active Learning with Applications to Text
///         Classification", JMLR 2, 2001, Simple Margin.
struct Boundary {
    static constexpr std::string_view name = "boundary";
    static constexpr std::array<std::string_view, 4> aliases = {
        "distance_to_boundary", "active_svm", "simple_margin", "decision_margin"};
    static constexpr std::string_view summary =
        "-(largest - second largest decision value), from logits; at most 0";
    static constexpr std::array inputs = {ScoreInput::logits, ScoreInput::committee_logits};
    static constexpr std::int64_t min_members = 1;
    static constexpr std::int64_t min_classes = 2;

    template <class Value>
    SLUICE_LANE Value of_logits(const RowView<Value>& row) const {
        return of_committee_logits(row);
    }

    template <class Value>
    SLUICE_LANE Value of_committee_logits(const RowView<Value>& row) const {
        const Value share{1.0F / static_cast<float>(row.members)};
        Value finite{0.0F};
        TopTwo<Value> top;
        for (std::int64_t c = 0; c < row.classes; ++c) {
            Value mean{0.0F};
            for (std::int64_t m = 0; m < row.members; ++m) {
                const Value x = row.get_slowly(m, c);
                finite = multiply_add(x, Value(0.0F), finite);
                mean = multiply_add(x, share, mean);
            }
            top.add(mean);
        }
        // The difference of two finite values may be none.
        const Value gap = smaller(top.first - top.second, Value(largest_float));
        return nan_unless(equal(finite, Value(0.0F)), Value(0.0F) - gap);
    }
};

static_assert(RowScore<Boundary>);

}  // namespace sluice::kernels
