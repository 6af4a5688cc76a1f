#pragma once

#include "study/hidden_labels.hpp"
#include "study/study_pool.hpp"

#include <cstdint>
#include <vector>

namespace sluice::study {

/// How the labels at the start are chosen.
enum class StartBy {
    chance,  ///< any rows
    classes  ///< the classes take turns, as by somebody who knows examples of each
};

/// How a data set is cut for one seed.
struct SplitRules {
    double test_share = 0.3;     ///< of the rows, where test_rows is 0
    std::int64_t test_rows = 0;  ///< at least so many rows test
    std::int64_t start = 20;     ///< labels at the start
    StartBy start_by = StartBy::chance;
};

/// Items of a data set by what they are for.
struct StudySplit {
    std::vector<std::int64_t> test;  ///< ascending
    std::vector<std::int64_t> pool;  ///< all others, ascending
    std::vector<std::int64_t>
        start_order;  ///< the pool's items in the order of asking at the start
};

/// Cuts a data set by random numbers of (seed, row) alone: the same for every strategy. A group's
/// items are all in the same part, so that a copy of a test row is never trained on.
/// Throws Error(usage) if a part would be empty, or the pool smaller than the start.
StudySplit split_items(const StudyPool& pool, const SplitRules& rules, std::uint64_t seed,
                       const HiddenLabels& labels);

/// For each item the first one that has the same features, bit for bit: the groups of a data set
/// that names none.
std::vector<std::int64_t> groups_of_copies(const StudyPool& pool);

}  // namespace sluice::study
