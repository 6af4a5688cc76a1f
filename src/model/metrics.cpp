#include "model/metrics.hpp"

#include "kernels/canonical_math.hpp"
#include "model/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace sluice::model {
namespace {

constexpr float least_probability = 0x1p-23F;

// What one class is right and wrong about.
struct ClassCounts {
    std::int64_t right = 0;
    std::int64_t predicted = 0;
    std::int64_t labeled = 0;
};

double macro_f1(const std::map<std::int64_t, ClassCounts>& counts) {
    double sum = 0.0;
    for (const auto& [label, count] : counts) {
        sum += 2.0 * static_cast<double>(count.right) /
               static_cast<double>(count.predicted + count.labeled);
    }
    return counts.empty() ? 0.0 : sum / static_cast<double>(counts.size());
}

double balanced_accuracy(const std::map<std::int64_t, ClassCounts>& counts) {
    double sum = 0.0;
    double labeled = 0.0;
    for (const auto& [label, count] : counts) {
        if (count.labeled == 0) continue;
        sum += static_cast<double>(count.right) / static_cast<double>(count.labeled);
        labeled += 1.0;
    }
    return labeled == 0.0 ? 0.0 : sum / labeled;
}

struct TargetErrors {
    double rmse = 0.0;
    double mae = 0.0;
    double r2 = 0.0;
    double max_error = 0.0;
};

TargetErrors errors_of(std::span<const float> predictions, std::span<const float> targets,
                       std::size_t target, std::size_t width) {
    const std::size_t rows = targets.size() / width;
    double mean = 0.0;
    for (std::size_t i = 0; i < rows; ++i)
        mean += targets[i * width + target];
    mean /= static_cast<double>(rows);
    TargetErrors errors;
    double squares = 0.0;
    double spread = 0.0;
    for (std::size_t i = 0; i < rows; ++i) {
        const double value = targets[i * width + target];
        const double error = std::fabs(predictions[i * width + target] - value);
        squares += error * error;
        spread += (value - mean) * (value - mean);
        errors.mae += error / static_cast<double>(rows);
        errors.max_error = std::max(errors.max_error, error);
    }
    errors.rmse = std::sqrt(squares / static_cast<double>(rows));
    if (spread > 0.0) {
        errors.r2 = 1.0 - squares / spread;
    } else {
        errors.r2 = squares == 0.0 ? 1.0 : 0.0;
    }
    return errors;
}

void put(Metrics& metrics, const std::string& suffix, const TargetErrors& errors) {
    metrics["rmse" + suffix] = errors.rmse;
    metrics["mae" + suffix] = errors.mae;
    metrics["r2" + suffix] = errors.r2;
    metrics["max_error" + suffix] = errors.max_error;
}

}  // namespace

const std::vector<MetricDefinition>& metric_definitions() {
    constexpr Task classification = Task::classification;
    constexpr Task regression = Task::regression;
    static const std::vector<MetricDefinition> definitions = {
        {"accuracy", "share of rows whose class is predicted", classification, Better::higher},
        {"balanced_accuracy", "mean over the classes of the share predicted of each",
         classification, Better::higher},
        {"macro_f1", "mean over the classes of the F score", classification, Better::higher},
        {"log_loss", "mean -ln of the true class's probability (softmax heads)", classification,
         Better::lower},
        {"ece", "expected calibration error", classification, Better::lower},
        {"rmse", "root of the mean squared error, in the label's unit", regression, Better::lower},
        {"mae", "mean absolute error, in the label's unit", regression, Better::lower},
        {"r2", "share of the labels' variance that is predicted", regression, Better::higher},
        {"max_error", "largest absolute error, in the label's unit", regression, Better::lower},
        {"validation_loss", "loss on the labels held out of training", std::nullopt, Better::lower},
    };
    return definitions;
}

const MetricDefinition* find_metric(std::string_view name) {
    const std::string_view stem = name.substr(0, name.find('.'));
    const auto found = std::ranges::find(metric_definitions(), stem, &MetricDefinition::name);
    return found == metric_definitions().end() ? nullptr : &*found;
}

Metrics classification_metrics(std::span<const float> probabilities,
                               std::span<const std::int32_t> classes, std::int64_t num_classes) {
    std::map<std::int64_t, ClassCounts> counts;
    const auto rows = static_cast<double>(classes.size());
    std::int64_t right = 0;
    double loss = 0.0;
    for (std::size_t i = 0; i < classes.size(); ++i) {
        const auto row = probabilities.subspan(i * static_cast<std::size_t>(num_classes),
                                               static_cast<std::size_t>(num_classes));
        const auto best = std::max_element(row.begin(), row.end());
        const std::int64_t predicted = best - row.begin();
        const std::int64_t label = classes[i];
        const bool is_right = predicted == label;
        const float of_label =
            label < num_classes ? row[static_cast<std::size_t>(label)] : least_probability;
        right += is_right ? 1 : 0;
        loss -= kernels::canonical_log(std::max(of_label, least_probability));
        counts[label].labeled += 1;
        counts[predicted].predicted += 1;
        counts[label].right += is_right ? 1 : 0;
    }
    return {{"accuracy", static_cast<double>(right) / rows},
            {"balanced_accuracy", balanced_accuracy(counts)},
            {"macro_f1", macro_f1(counts)},
            {"log_loss", loss / rows},
            {"ece", expected_calibration_error(probabilities, classes, num_classes)}};
}

Metrics regression_metrics(std::span<const float> predictions, std::span<const float> targets,
                           const std::vector<std::string>& names) {
    Metrics metrics;
    TargetErrors mean;
    const auto width = static_cast<double>(names.size());
    for (std::size_t t = 0; t < names.size(); ++t) {
        const TargetErrors errors = errors_of(predictions, targets, t, names.size());
        if (names.size() > 1) put(metrics, "." + names[t], errors);
        mean.rmse += errors.rmse / width;
        mean.mae += errors.mae / width;
        mean.r2 += errors.r2 / width;
        mean.max_error = std::max(mean.max_error, errors.max_error);
    }
    put(metrics, "", mean);
    return metrics;
}

}  // namespace sluice::model
