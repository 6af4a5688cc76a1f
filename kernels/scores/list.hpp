#pragma once

#include "kernels/scores/bald.hpp"
#include "kernels/scores/boundary.hpp"
#include "kernels/scores/committee_std.hpp"
#include "kernels/scores/consensus_entropy.hpp"
#include "kernels/scores/entropy.hpp"
#include "kernels/scores/gini.hpp"
#include "kernels/scores/gradient_length.hpp"
#include "kernels/scores/least_confidence.hpp"
#include "kernels/scores/margin.hpp"
#include "kernels/scores/max_kl.hpp"
#include "kernels/scores/mean_deviation.hpp"
#include "kernels/scores/mean_kl.hpp"
#include "kernels/scores/ratio.hpp"
#include "kernels/scores/total_std.hpp"
#include "kernels/scores/variation_ratio.hpp"
#include "kernels/scores/vote_entropy.hpp"

namespace sluice::kernels {

/// Types, and nothing else.
template <class... Scores>
struct ScoreList {};

/// Every score computed from a row's values. The registry: options, help, `check`, the back ends
/// and the tests read this list. `random`, which reads no values, stands before them.
using Scores = ScoreList<LeastConfidence,   //
                         Margin,            //
                         Ratio,             //
                         Entropy,           //
                         Gini,              //
                         GradientLength,    //
                         ConsensusEntropy,  //
                         Bald,              //
                         MeanKl,            //
                         MaxKl,             //
                         VoteEntropy,       //
                         VariationRatio,    //
                         Boundary,          //
                         CommitteeStd,      //
                         MeanDeviation,     //
                         TotalStd>;

}  // namespace sluice::kernels
