#pragma once

#include "core/types.hpp"
#include "model/committee.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sluice::study {

/// A data set of a retrospective study as the learner may see it: everything but the labels.
/// "Items" count its rows, 0 to N-1; those are the pool's rows that have a hidden label.
struct StudyPool {
    std::string name;
    model::Task task = model::Task::classification;
    std::int64_t dim = 0;             ///< D
    std::int64_t outputs = 0;         ///< C classes or T components
    std::vector<RowId> rows;          ///< [N], ascending
    std::vector<float> features;      ///< [N,D]
    std::vector<double> cost;         ///< [N] > 0, of asking; empty: 1 each
    std::vector<std::int64_t> group;  ///< [N] first item of those that a split keeps together
    enum class Groups { copies, items } groups = Groups::copies;  ///< items: the pool's own groups
    std::map<std::string, std::vector<float>> numbers;  ///< [N] by role, of conditions' datasets
    std::vector<std::string> target_names;
    std::vector<std::string> target_units;

    std::int64_t size() const { return static_cast<std::int64_t>(rows.size()); }
    const float* row(std::int64_t item) const { return features.data() + item * dim; }
};

}  // namespace sluice::study
