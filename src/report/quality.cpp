#include "report/quality.hpp"

#include "campaign/round_model.hpp"
#include "core/error.hpp"
#include "model/model_file.hpp"
#include "model/model_outputs.hpp"
#include "report/campaign_files.hpp"
#include "study/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace sluice::report {
namespace {

using model::Better;

constexpr double level = 0.05;

// What each test row adds to a metric's value: their mean is 0.
struct Influence {
    double value = not_known;
    std::vector<double> of_row;
};

Influence influence_on_accuracy(const model::ModelOutputs& outputs,
                                const model::TrainingSet& test) {
    Influence influence;
    const std::vector<std::int32_t> classes = outputs.classes();
    double right = 0.0;
    for (std::size_t i = 0; i < classes.size(); ++i) {
        influence.of_row.push_back(classes[i] == test.classes[i] ? 1.0 : 0.0);
        right += influence.of_row.back();
    }
    influence.value = right / static_cast<double>(classes.size());
    for (double& row : influence.of_row)
        row -= influence.value;
    return influence;
}

// The root mean square error, of several targets the mean of theirs.
Influence influence_on_rmse(const model::ModelOutputs& outputs, const model::TrainingSet& test) {
    const auto rows = static_cast<std::size_t>(test.size());
    const auto width = static_cast<std::size_t>(test.outputs);
    Influence influence{0.0, std::vector<double>(rows, 0.0)};
    for (std::size_t target = 0; target < width; ++target) {
        std::vector<double> squares;
        double sum = 0.0;
        for (std::size_t row = 0; row < rows; ++row) {
            const std::size_t i = row * width + target;
            const double error =
                static_cast<double>(outputs.mean[i]) - static_cast<double>(test.targets[i]);
            squares.push_back(error * error);
            sum += squares.back();
        }
        const double mean = sum / static_cast<double>(rows);
        const double root = std::sqrt(mean);
        influence.value += root / static_cast<double>(width);
        for (std::size_t row = 0; row < rows && root > 0.0; ++row)
            influence.of_row[row] +=
                (squares[row] - mean) / (2.0 * root) / static_cast<double>(width);
    }
    return influence;
}

// Nothing if the metric is another one than these intervals are for. `path` begins messages.
std::optional<Influence> influence_of(const model::ModelOutputs& outputs,
                                      const model::TrainingSet& test, const std::string& metric,
                                      const std::string& path) {
    require(outputs.task == test.task, ExitCode::bad_data,
            path + ": is for another task than the labels of the test rows");
    if (metric == "accuracy") return influence_on_accuracy(outputs, test);
    if (metric != "rmse") return std::nullopt;
    require(outputs.width == test.outputs, ExitCode::bad_data,
            path + ": predicts another number of targets than the test rows have");
    return influence_on_rmse(outputs, test);
}

// Nothing if there is no such model either.
std::optional<Influence> influence_of(const campaign::Arm& owner, std::int64_t round,
                                      const model::TrainingSet& test, const std::string& metric,
                                      RowId num_rows) {
    if (campaign::model_file(owner, round).empty()) return std::nullopt;
    comm::Communicator alone;
    const campaign::RoundModel model(owner, round, num_rows, alone);
    return influence_of(model.outputs(test.rows, test.features, test.dim), test, metric,
                        model.path());
}

// The usual metric of what is measured.
std::string usual_metric(const ReportData& data) {
    std::string found;
    for (const RoundView& round : data.active().rounds) {
        if (!round.record) continue;
        const auto& measured = round.record->metrics;
        const auto usual = std::ranges::find_if(model::metric_definitions(),
                                                [&](const model::MetricDefinition& definition) {
                                                    return measured.contains(definition.name);
                                                });
        if (usual != model::metric_definitions().end()) found = usual->name;
    }
    return found;
}

Difference difference_of(double mean, const std::vector<double>& of_rows) {
    const study::Estimate estimate = study::estimate(of_rows);
    Difference difference{mean, estimate.half_width, not_known};
    if (estimate.count < 2) return difference;
    const double error = estimate.deviation / std::sqrt(static_cast<double>(estimate.count));
    difference.p = error > 0.0
                       ? study::two_sided_p(mean / error, static_cast<double>(estimate.count - 1))
                       : (mean == 0.0 ? 1.0 : 0.0);
    return difference;
}

// The two arms in the rounds in which they differ.
class ArmComparison {
  public:
    void add(const Influence& active, const Influence& random) {
        ++rounds_;
        sum_ += active.value - random.value;
        last_ = active.value - random.value;
        last_rows_.clear();
        rows_.resize(active.of_row.size(), 0.0);
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            last_rows_.push_back(active.of_row[i] - random.of_row[i]);
            rows_[i] += last_rows_.back();
        }
    }

    void finish(Better better, Comparison& comparison) {
        comparison.rounds = rounds_;
        if (rounds_ == 0) return;
        const double share = 1.0 / static_cast<double>(rounds_);
        for (double& row : rows_)
            row *= share;
        comparison.mean_of_rounds = difference_of(sum_ * share, rows_);
        comparison.last_round = difference_of(last_, last_rows_);
        const Difference& decides = comparison.mean_of_rounds;
        if (!std::isfinite(decides.p)) return;
        const bool is_better = better == Better::higher ? decides.mean > 0.0 : decides.mean < 0.0;
        comparison.verdict = !(decides.p < level) ? Verdict::no_difference
                             : is_better          ? Verdict::better
                                                  : Verdict::worse;
    }

  private:
    std::int64_t rounds_ = 0;
    double sum_ = 0.0;
    double last_ = not_known;
    std::vector<double> rows_;
    std::vector<double> last_rows_;
};

class Judge {
  public:
    Judge(const model::TrainingSet* test, ReportData& data)
        : test_(test), data_(data), quality_(data.quality) {}

    void judge() {
        quality_.metric = usual_metric(data_);
        if (quality_.metric.empty()) return;
        quality_.better = model::find_metric(quality_.metric)->better;
        if (test_ != nullptr) quality_.test_rows = test_->size();
        for (const ArmView& arm : data_.arms)
            quality_.curves.push_back({arm.arm.name, {}});
        for (const RoundView& round : data_.active().rounds)
            judge_round(round.round);
        comparison_.finish(quality_.better, quality_.comparison);
        match_labels();
        for (MetricCurve& curve : quality_.curves)
            measure_gains(curve.points);
        if (!quality_.curves.front().points.empty())
            quality_.gain_per_100_labels =
                quality_.curves.front().points.back().gain_per_100_labels;
        if (test_ != nullptr && !quality_.full_data_model.empty()) compare_with_full_data();
    }

  private:
    void judge_round(std::int64_t round) {
        std::vector<std::optional<Influence>> influences;
        for (std::size_t i = 0; i < data_.arms.size(); ++i) {
            const ArmView& arm = data_.arms[i];
            const ArmView& teller = round < arm.arm.first_round ? data_.active() : arm;
            influences.push_back(add_point(teller, round, quality_.curves[i]));
        }
        const bool differ = data_.arms.size() > 1 && round >= data_.arms[1].arm.first_round;
        if (differ && influences[0] && influences[1])
            comparison_.add(*influences[0], *influences[1]);
    }

    std::optional<Influence> add_point(const ArmView& teller, std::int64_t round,
                                       MetricCurve& curve) {
        const RoundView* view = find_round(teller, round);
        if (view == nullptr || !view->record) return std::nullopt;
        const auto value = view->record->metrics.find(quality_.metric);
        if (value == view->record->metrics.end()) return std::nullopt;
        MetricPoint point{round, static_cast<double>(view->record->labels), view->record->cost,
                          value->second, not_known};
        std::optional<Influence> influence;
        try {
            if (test_ != nullptr && test_->size() > 0)
                influence =
                    influence_of(teller.arm, round, *test_, quality_.metric, data_.pool.num_rows);
        } catch (const Error& error) {
            data_.gaps.push_back(
                {fmt::format("interval of round {} ({})", round, curve.arm), error.what()});
        }
        if (influence) point.half_width = study::estimate(influence->of_row).half_width;
        curve.points.push_back(point);
        return influence;
    }

    void match_labels() {
        if (quality_.curves.size() < 2 || quality_.comparison.rounds == 0) return;
        const MetricPoint& target = quality_.curves[1].points.back();
        study::LearningCurve curve;
        for (const MetricPoint& point : quality_.curves[0].points) {
            curve.labels.push_back(point.labels);
            curve.values.push_back(point.value);
        }
        quality_.comparison.random_labels = target.labels;
        quality_.comparison.labels_to_match =
            study::labels_to_reach(curve, target.value, quality_.better);
    }

    void measure_gains(std::vector<MetricPoint>& points) const {
        for (std::size_t i = 1; i < points.size(); ++i) {
            const MetricPoint& before = points[i - 1];
            MetricPoint& point = points[i];
            if (!(point.labels > before.labels)) continue;
            const double change =
                (point.value - before.value) / (point.labels - before.labels) * 100.0;
            point.gain_per_100_labels = quality_.better == Better::higher ? change : -change;
        }
    }

    // An error reaches the share that the full data's error is of it.
    void compare_with_full_data() {
        const std::string& path = quality_.full_data_model;
        try {
            const model::ModelOutputs outputs =
                model::run_model(model::read_model(path), test_->features, test_->dim, path);
            const auto influence = influence_of(outputs, *test_, quality_.metric, path);
            if (!influence) return;
            quality_.full_data_value = influence->value;
        } catch (const Error& error) {
            data_.gaps.push_back({"model of all data", error.what()});
            return;
        }
        for (MetricCurve& curve : quality_.curves) {
            for (MetricPoint& point : curve.points) {
                point.full_data_share = quality_.better == Better::higher
                                            ? point.value / quality_.full_data_value
                                            : quality_.full_data_value / point.value;
            }
        }
    }

    const model::TrainingSet* test_;
    ReportData& data_;
    Quality& quality_;
    ArmComparison comparison_;
};

}  // namespace

void judge_quality(const model::TrainingSet* test, ReportData& data) {
    Judge(test, data).judge();
}

}  // namespace sluice::report
