#pragma once

#include "kernels/member_divergence.hpp"
#include "kernels/score_concept.hpp"

namespace sluice::kernels {

/// Kullback-Leibler divergence from the members' mean of the member that is farthest from it, in
/// nats: 0 (members agree) to ln M.
/// \source modAL, modAL/disagreement.py, KL_max_disagreement.
struct MaxKl {
    static constexpr std::string_view name = "max_kl";
    static constexpr std::array<std::string_view, 3> aliases = {
        "max_kl_divergence", "max_disagreement", "max_disagreement_sampling"};
    static constexpr std::string_view summary =
        "divergence of the farthest member from the members' mean, in nats; 0 to ln M";
    static constexpr std::array inputs = {ScoreInput::committee_probabilities,
                                          ScoreInput::committee_logits};
    static constexpr std::int64_t min_members = 2;
    static constexpr std::int64_t min_classes = 2;

    template <class Value>
    SLUICE_LANE Value of_committee(const CommitteeProbabilities<Value>& committee) const {
        const ProbabilityDivergences<Value> divergences{committee.row};
        const auto valid = divergences.prepare();
        Value most{0.0F};
        for (std::int64_t m = 0; m < committee.row.members; ++m)
            most = larger(most, divergences.of_member(m));
        return nan_unless(valid, most);
    }

    template <class Value>
    SLUICE_LANE Value of_committee_logits(const RowView<Value>& row) const {
        const LogitDivergences<Value> divergences{{row}};
        const CommitteeTotal<Value> total = divergences.prepare();
        Value most{0.0F};
        for (std::int64_t m = 0; m < row.members; ++m)
            most = larger(most, divergences.of_member(m, total.sum));
        return nan_unless(total.valid, most);
    }
};

static_assert(RowScore<MaxKl>);

}  // namespace sluice::kernels
