#pragma once

#include "model/committee.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::model {

/// Whether a number is good when it is high, as an accuracy, or when it is low, as an error.
enum class Better { higher, lower };

/// One number that says how good a committee is; the registry behind stop rules and studies.
struct MetricDefinition {
    std::string name;
    std::string summary;
    std::optional<Task> task;  ///< nothing: of both
    Better better = Better::higher;
};

/// Every metric, those of one task together, its usual one first.
const std::vector<MetricDefinition>& metric_definitions();

/// The definition of a metric by its name, of one target of several too (`rmse`, `rmse.energy`);
/// null for an unknown one.
const MetricDefinition* find_metric(std::string_view name);

/// NAME or NAME.TARGET -> value.
using Metrics = std::map<std::string, double>;

/// How well class probabilities fit: `accuracy`, `macro_f1` (mean over the classes that occur in
/// labels or predictions, 0 where nothing of a class is right), `balanced_accuracy` (mean over the
/// classes of the labels of the share that is predicted of each), `log_loss` (natural,
/// probabilities cut at 2^-23), `ece` (expected calibration error, 15 equal bins of the largest
/// probability). A class beyond the probabilities' is never predicted. Sums in float64 in the order
/// of the rows, logarithms canonical: the same bits everywhere. \source Guo et al., "On Calibration
/// of Modern Neural Networks", ICML 2017, section 2 (ECE). \param probabilities [rows,
/// num_classes], rows summing to 1 \param classes [rows]
Metrics classification_metrics(std::span<const float> probabilities,
                               std::span<const std::int32_t> classes, std::int64_t num_classes);

/// How near predictions are: `rmse`, `mae`, `r2`, `max_error`. With several targets, each target
/// has its own (`rmse.NAME`), and the plain names are the mean over the targets (max_error: the
/// largest). `r2` is 1 for a constant target that is met, 0 for one that is not.
/// \param predictions [rows, names.size()]
/// \param targets the same
/// \param names of the targets
Metrics regression_metrics(std::span<const float> predictions, std::span<const float> targets,
                           const std::vector<std::string>& names);

}  // namespace sluice::model
