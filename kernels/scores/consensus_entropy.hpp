#pragma once

#include "kernels/scores/entropy.hpp"

namespace sluice::kernels {

/// Entropy of the members' mean, in nats. It is `entropy` of a committee, the same bits; but by
/// this name a committee is read even where the pool has the probabilities of one model too.
/// \source modAL, modAL/disagreement.py, consensus_entropy.
struct ConsensusEntropy {
    static constexpr std::string_view name = "consensus_entropy";
    static constexpr std::array<std::string_view, 2> aliases = {"consensus_entropy_sampling",
                                                                "qbc_entropy"};
    static constexpr std::string_view summary =
        "entropy of the members' mean, in nats: 'entropy' of a committee; 0 to ln C";
    static constexpr std::array inputs = {ScoreInput::committee_probabilities,
                                          ScoreInput::committee_logits};
    static constexpr std::int64_t min_members = 1;
    static constexpr std::int64_t min_classes = 2;

    template <class Committee>
    SLUICE_LANE typename Committee::Lanes of_committee(const Committee& committee) const {
        return Entropy().of_committee(committee);
    }
};

static_assert(RowScore<ConsensusEntropy>);

}  // namespace sluice::kernels
