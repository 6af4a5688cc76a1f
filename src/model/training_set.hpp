#pragma once

#include "core/types.hpp"
#include "model/committee.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::model {

/// Labeled samples in memory, ascending by row, each row once: what is trained does not depend on
/// the order in which labels came.
struct TrainingSet {
    Task task = Task::classification;
    std::int64_t dim = 0;               ///< D
    std::int64_t outputs = 0;           ///< C classes, or T components
    std::vector<RowId> rows;            ///< [L]
    std::vector<float> features;        ///< [L, D], finite
    std::vector<std::int32_t> classes;  ///< [L] in [0, C); classification
    std::vector<float> targets;         ///< [L, T], finite; regression
    /// [L] weight of a pseudo-label, which a committee has given, 0 = a label; empty: all are
    /// labels.
    std::vector<float> pseudo;
    std::vector<std::string> target_names;  ///< [T], or empty
    std::vector<std::string> target_units;  ///< [T], or empty
    std::string source;                     ///< where the labels came from, for messages

    std::int64_t size() const { return static_cast<std::int64_t>(rows.size()); }

    bool is_pseudo(std::int64_t entry) const {
        return !pseudo.empty() && pseudo[static_cast<std::size_t>(entry)] > 0.0F;
    }
    float weight(std::int64_t entry) const {
        return is_pseudo(entry) ? pseudo[static_cast<std::size_t>(entry)] : 1.0F;
    }
};

}  // namespace sluice::model
