#pragma once

#include "kernels/score_concept.hpp"
#include "kernels/votes.hpp"

namespace sluice::kernels {

/// Share of the members that do not vote for the class with the most votes: 0 (all vote alike) to
/// 1 - 1 / min(M, C).
/// \source Freeman, "Elementary Applied Statistics", 1965.
struct VariationRatio {
    static constexpr std::string_view name = "variation_ratio";
    static constexpr std::array<std::string_view, 2> aliases = {"variation_ratios",
                                                                "qbc_variation_ratios"};
    static constexpr std::string_view summary =
        "share of members outvoted by the most frequent vote; 0 to 1 - 1/min(M, C)";
    static constexpr std::array inputs = {ScoreInput::committee_probabilities,
                                          ScoreInput::committee_logits};
    static constexpr std::int64_t min_members = 2;
    static constexpr std::int64_t min_classes = 2;

    template <class Value>
    SLUICE_LANE Value of_committee(const CommitteeProbabilities<Value>& committee) const {
        return of_committee_logits(committee.row);
    }

    template <class Value>
    SLUICE_LANE Value of_committee_logits(const RowView<Value>& row) const {
        const Votes<Value> votes{row};
        const auto valid = votes.cast();
        const Value members{static_cast<float>(row.members)};
        Value most{0.0F};
        for (std::int64_t m = 0; m < row.members; ++m)
            most = larger(most, votes.with(m));
        return nan_unless(valid, (members - most) / members);
    }
};

static_assert(RowScore<VariationRatio>);

}  // namespace sluice::kernels
