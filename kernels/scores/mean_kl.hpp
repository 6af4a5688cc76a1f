#pragma once

#include "kernels/member_divergence.hpp"
#include "kernels/score_concept.hpp"

namespace sluice::kernels {

/// Mean over the members of their Kullback-Leibler divergence from the members' mean, in nats: 0
/// (members agree) to ln min(M, C). The same number as `bald`, which is computed class by class;
/// this one is computed member by member and takes longer.
/// \source McCallum and Nigam, "Employing EM and Pool-Based Active Learning for Text
///         Classification", ICML 1998, section 4.1.
struct MeanKl {
    static constexpr std::string_view name = "mean_kl";
    static constexpr std::array<std::string_view, 2> aliases = {"mean_kl_divergence",
                                                                "mccallum_nigam"};
    static constexpr std::string_view summary =
        "mean divergence of members from their mean, in nats (equals bald); 0 to ln min(M, C)";
    static constexpr std::array inputs = {ScoreInput::committee_probabilities,
                                          ScoreInput::committee_logits};
    static constexpr std::int64_t min_members = 2;
    static constexpr std::int64_t min_classes = 2;

    template <class Value>
    SLUICE_LANE Value of_committee(const CommitteeProbabilities<Value>& committee) const {
        const ProbabilityDivergences<Value> divergences{committee.row};
        const auto valid = divergences.prepare();
        LongSum<Value> sum;
        for (std::int64_t m = 0; m < committee.row.members; ++m)
            sum.add(divergences.of_member(m));
        const auto members = static_cast<float>(committee.row.members);
        return nan_unless(valid, sum.total() / Value(members));
    }

    template <class Value>
    SLUICE_LANE Value of_committee_logits(const RowView<Value>& row) const {
        const LogitDivergences<Value> divergences{{row}};
        const CommitteeTotal<Value> total = divergences.prepare();
        LongSum<Value> sum;
        for (std::int64_t m = 0; m < row.members; ++m)
            sum.add(divergences.of_member(m, total.sum));
        return nan_unless(total.valid, sum.total() / Value(static_cast<float>(row.members)));
    }
};

static_assert(RowScore<MeanKl>);

}  // namespace sluice::kernels
