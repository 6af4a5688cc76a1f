#pragma once

#include "study/hidden_labels.hpp"
#include "study/measures.hpp"
#include "study/study_pool.hpp"
#include "study/study_rules.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace sluice::study {

/// A data set of a study: what the learner sees, and the oracle.
struct StudyData {
    StudyPool pool;
    HiddenLabels labels;
};

/// A point of one run's learning curve.
struct RunPoint {
    std::int64_t round = 0;
    std::int64_t labels = 0;  ///< given so far
    std::int64_t asked = 0;   ///< questions so far, refused ones included
    double cost = 0.0;        ///< of the labels so far
    double values[max_measures] = {};
    std::int64_t pseudo = 0;  ///< pseudo-labels that this round's training had beside them
    std::int64_t wrong = 0;   ///< of which so many name another class than the true one
};

/// Active learning from the start on for one seed: train on what is labeled, measure on the test
/// part, choose a batch among the other rows, ask, again. The learner sees answers only. Refused
/// rows are replaced by the next best and can be asked again in later rounds. Ends early when all
/// rows are labeled or none fits into the budget, which
/// is never overspent. A function of its arguments alone; on the calling thread. `after_round` is
/// called after each point and may throw to stop.
std::vector<RunPoint> simulate_run(const StudyData& data, const Strategy& strategy,
                                   const StudyRules& rules, std::uint64_t seed,
                                   const std::function<void()>& after_round);

/// The point that the same learner reaches with a label for every row outside the test part, noise
/// included, refusals not.
RunPoint simulate_all_labels(const StudyData& data, const StudyRules& rules, std::uint64_t seed);

}  // namespace sluice::study
