#pragma once

#include "campaign/hidden_labels.hpp"
#include "campaign/statistics.hpp"
#include "kernels/committee_network.hpp"
#include "model/committee.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::campaign {

/// One number that says how good a committee is on a test part; the registry behind `--measure`.
struct MeasureDefinition {
    std::string name;
    std::string summary;
    model::Task task = model::Task::classification;
    Better better = Better::higher;
};

/// Every measure, those of one task together, its usual one first.
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

/// Every measure of the network's task, in the order of measures_of. Classes are predicted by the
/// members' mean probability (softmax of their logits), ties to the lower class, numbers by the
/// members' mean; all of a regression's components count alike.
std::vector<double> measure(const kernels::CommitteeNetwork& network, model::Task task,
                            std::int64_t outputs, const TestPart& test);

}  // namespace sluice::campaign
