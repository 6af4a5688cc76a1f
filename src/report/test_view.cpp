#include "report/test_view.hpp"

#include "campaign/round_model.hpp"
#include "core/error.hpp"
#include "model/calibration.hpp"
#include "model/model_outputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sluice::report {
namespace {

constexpr std::int64_t class_bins = 15;
constexpr std::int64_t most_spread_bins = 10;
constexpr std::int64_t fewest_rows_of_bin = 5;

void view_classes(const model::TrainingSet& test, const model::ModelOutputs& outputs,
                  TestView& view) {
    std::vector<CalibrationBin> bins(class_bins);
    std::vector<double> said(class_bins, 0.0);
    std::vector<double> right(class_bins, 0.0);
    const std::vector<std::int32_t> classes = outputs.classes();
    for (std::size_t i = 0; i < classes.size(); ++i) {
        const float confidence = outputs.mean[i * static_cast<std::size_t>(outputs.width) +
                                              static_cast<std::size_t>(classes[i])];
        // Bins are (i / 15, (i + 1) / 15].
        const auto above = static_cast<std::int64_t>(std::ceil(confidence * float{class_bins}));
        const auto bin =
            static_cast<std::size_t>(std::clamp<std::int64_t>(above - 1, 0, class_bins - 1));
        ++bins[bin].rows;
        said[bin] += static_cast<double>(confidence);
        right[bin] += classes[i] == test.classes[i] ? 1.0 : 0.0;
    }
    for (std::size_t bin = 0; bin < bins.size(); ++bin) {
        if (bins[bin].rows == 0) continue;
        bins[bin].said = said[bin] / static_cast<double>(bins[bin].rows);
        bins[bin].came = right[bin] / static_cast<double>(bins[bin].rows);
        view.calibration.push_back(bins[bin]);
    }
    view.calibration_error =
        model::expected_calibration_error(outputs.mean, test.classes, outputs.width);
}

void view_spread(const std::vector<ParityPoint>& points, const std::vector<float>& deviations,
                 TestView& view) {
    const std::int64_t rows = std::ssize(points);
    const std::int64_t num_bins = std::min(most_spread_bins, rows / fewest_rows_of_bin);
    if (num_bins < 1 || std::ssize(deviations) != rows) return;
    std::vector<std::size_t> order(points.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(
        order, [&](std::size_t a, std::size_t b) { return deviations[a] < deviations[b]; });
    double sum = 0.0;
    for (std::int64_t bin = 0; bin < num_bins; ++bin) {
        CalibrationBin filled;
        double said = 0.0;
        double came = 0.0;
        for (std::int64_t i = bin * rows / num_bins; i < (bin + 1) * rows / num_bins; ++i) {
            const std::size_t row = order[static_cast<std::size_t>(i)];
            const double error = points[row].predicted - points[row].truth;
            said += static_cast<double>(deviations[row]) * static_cast<double>(deviations[row]);
            came += error * error;
            ++filled.rows;
        }
        filled.said = std::sqrt(said / static_cast<double>(filled.rows));
        filled.came = std::sqrt(came / static_cast<double>(filled.rows));
        if (filled.said > 0.0) sum += std::fabs(filled.came - filled.said) / filled.said;
        view.calibration.push_back(filled);
    }
    view.calibration_error = sum / static_cast<double>(num_bins);
}

std::string target_name(const model::TrainingSet& test, std::size_t target) {
    const bool has_name = std::ssize(test.target_names) == test.outputs;
    std::string name = has_name ? test.target_names[target] : fmt::format("target {}", target);
    if (test.outputs == 1 && !has_name) name = "label";
    if (std::ssize(test.target_units) == test.outputs && !test.target_units[target].empty())
        name += " (" + test.target_units[target] + ")";
    return name;
}

void view_numbers(const model::TrainingSet& test, const model::ModelOutputs& outputs,
                  TestView& view) {
    const auto width = static_cast<std::size_t>(test.outputs);
    for (std::size_t target = 0; target < width; ++target) {
        view.targets.push_back(target_name(test, target));
        std::vector<ParityPoint> points;
        for (std::size_t i = target; i < test.targets.size(); i += width)
            points.push_back(
                {static_cast<double>(test.targets[i]), static_cast<double>(outputs.mean[i])});
        view.parity.push_back(std::move(points));
    }
    if (width == 1) view_spread(view.parity.front(), outputs.uncertainty, view);
}

}  // namespace

void view_test(const model::TrainingSet& test, ReportData& data) {
    TestView& view = data.test;
    const campaign::Arm& arm = data.active().arm;
    const std::vector<RoundView>& rounds = data.active().rounds;
    const auto last = std::find_if(rounds.rbegin(), rounds.rend(), [&](const RoundView& round) {
        return !campaign::model_file(arm, round.round).empty();
    });
    if (last == rounds.rend() || test.size() == 0) return;
    comm::Communicator alone;
    const campaign::RoundModel model(arm, last->round, data.pool.num_rows, alone);
    const std::string& path = model.path();
    const model::ModelOutputs outputs = model.outputs(test.rows, test.features, test.dim);
    require(outputs.task == test.task, ExitCode::bad_data,
            path + ": is for another task than the labels of the test rows");
    view.task = test.task;
    view.rows = test.size();
    if (test.task == model::Task::classification) {
        view_classes(test, outputs, view);
    } else {
        require(outputs.width == test.outputs, ExitCode::bad_data,
                path + ": predicts another number of targets than the test rows have");
        view_numbers(test, outputs, view);
    }
    view.round = last->round;
}

}  // namespace sluice::report
