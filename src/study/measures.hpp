#pragma once

#include "kernels/committee_network.hpp"
#include "model/committee.hpp"
#include "model/metrics.hpp"
#include "study/hidden_labels.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::study {

using MeasureDefinition = model::MetricDefinition;

/// Every measure, those of one task together, its usual one first: the metrics that a study keeps
/// of each round.
const std::vector<MeasureDefinition>& measure_definitions();

/// The measures of a task, in the order of measure_definitions.
std::vector<MeasureDefinition> measures_of(model::Task task);

/// Most measures that a task has.
inline constexpr std::size_t max_measures = 3;

/// Features of a test part and its true labels.
struct TestPart {
    std::vector<float> features;  ///< [rows, D]
    std::int64_t rows = 0;
    TestLabels labels;
};

/// Every measure of the network's task, in the order of measures_of; see model/metrics.hpp.
std::vector<double> measure(const kernels::CommitteeNetwork& network, model::Task task,
                            std::int64_t outputs, const TestPart& test);

}  // namespace sluice::study
