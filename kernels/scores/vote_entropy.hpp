#pragma once

#include "kernels/score_concept.hpp"
#include "kernels/votes.hpp"

namespace sluice::kernels {

/// -sum over classes of v ln v, v the share of members whose most likely class it is: 0 (all vote
/// alike) to ln min(M, C), in nats, not divided by that.
/// \source Dagan and Engelson, "Committee-Based Sampling for Training Probabilistic Classifiers",
///         ICML 1995, equation 1 without its normalisation.
struct VoteEntropy {
    static constexpr std::string_view name = "vote_entropy";
    static constexpr std::array<std::string_view, 2> aliases = {"VoteEntropy", "qbc_vote_entropy"};
    static constexpr std::string_view summary =
        "entropy of the members' votes, in nats; 0 to ln min(M, C)";
    static constexpr std::array inputs = {ScoreInput::committee_probabilities,
                                          ScoreInput::committee_logits};
    static constexpr std::int64_t min_members = 2;
    static constexpr std::int64_t min_classes = 2;

    template <class Value>
    SLUICE_LANE Value of_committee(const CommitteeProbabilities<Value>& committee) const {
        return of_committee_logits(committee.row);
    }

    /// Each vote's share of the sum is ln v / M: no class need be looked at.
    template <class Value>
    SLUICE_LANE Value of_committee_logits(const RowView<Value>& row) const {
        const Votes<Value> votes{row};
        const auto valid = votes.cast();
        const Value members{static_cast<float>(row.members)};
        LongSum<Value> sum;
        for (std::int64_t m = 0; m < row.members; ++m)
            sum.add(canonical_log(votes.with(m) / members));
        return nan_unless(valid, (Value(0.0F) - sum.total()) / members);
    }
};

static_assert(RowScore<VoteEntropy>);

}  // namespace sluice::kernels
