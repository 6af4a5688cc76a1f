#include "campaign/measures.hpp"

#include "kernels/canonical_math.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <span>

namespace sluice::campaign {
namespace {

constexpr std::int64_t block_rows = 1024;
constexpr float smallest_probability = 1e-12F;

// What the members say of one row: [M, width].
struct Said {
    const float* values;
    std::int64_t members;
    std::int64_t width;
};

// Adds softmax(logits) / M to `mean`.
void add_probabilities(const float* logits, float share, std::span<float> mean) {
    const float largest = *std::max_element(logits, logits + mean.size());
    std::vector<float> terms(mean.size());
    float total = 0.0F;
    for (std::size_t c = 0; c < mean.size(); ++c) {
        terms[c] = kernels::canonical_exp(logits[c] - largest);
        total += terms[c];
    }
    for (std::size_t c = 0; c < mean.size(); ++c)
        mean[c] += terms[c] / total * share;
}

std::vector<float> mean_probabilities(const Said& said) {
    std::vector<float> mean(static_cast<std::size_t>(said.width), 0.0F);
    const float share = 1.0F / static_cast<float>(said.members);
    for (std::int64_t m = 0; m < said.members; ++m)
        add_probabilities(said.values + m * said.width, share, mean);
    return mean;
}

// Counts of a classification, row by row.
class ClassCounts {
  public:
    explicit ClassCounts(std::int64_t classes)
        : right_(static_cast<std::size_t>(classes), 0), rows_(right_) {}

    void add(const Said& said, std::int32_t truth) {
        const std::vector<float> mean = mean_probabilities(said);
        const auto predicted = std::max_element(mean.begin(), mean.end()) - mean.begin();
        const auto which = static_cast<std::size_t>(truth);
        ++rows_[which];
        if (predicted == truth) ++right_[which];
        loss_ -= kernels::canonical_log(std::max(mean[which], smallest_probability));
    }

    std::vector<double> values() const {
        double right = 0.0;
        double rows = 0.0;
        double recalls = 0.0;
        double seen = 0.0;
        for (std::size_t c = 0; c < rows_.size(); ++c) {
            right += static_cast<double>(right_[c]);
            rows += static_cast<double>(rows_[c]);
            if (rows_[c] == 0) continue;
            recalls += static_cast<double>(right_[c]) / static_cast<double>(rows_[c]);
            seen += 1.0;
        }
        return {right / rows, recalls / seen, loss_ / rows};
    }

  private:
    std::vector<std::int64_t> right_;  // [C]
    std::vector<std::int64_t> rows_;   // [C]
    double loss_ = 0.0;
};

// Errors of a regression, row by row.
class ErrorSums {
  public:
    explicit ErrorSums(std::int64_t components) : components_(components) {}

    void add(const Said& said, const float* truth) {
        for (std::int64_t t = 0; t < components_; ++t) {
            double mean = 0.0;
            for (std::int64_t m = 0; m < said.members; ++m)
                mean += static_cast<double>(said.values[m * said.width + t]);
            const double error =
                mean / static_cast<double>(said.members) - static_cast<double>(truth[t]);
            squares_ += error * error;
            sizes_ += std::abs(error);
            largest_ = std::max(largest_, std::abs(error));
            count_ += 1.0;
        }
    }

    std::vector<double> values() const {
        return {std::sqrt(squares_ / count_), sizes_ / count_, largest_};
    }

  private:
    std::int64_t components_;
    double squares_ = 0.0;
    double sizes_ = 0.0;
    double largest_ = 0.0;
    double count_ = 0.0;
};

// Calls use(row, what the members say of it) for all rows.
void for_each_row(const kernels::CommitteeNetwork& network, const TestPart& test,
                  const std::function<void(std::int64_t, const Said&)>& use) {
    const std::int64_t row_size = network.members() * network.outputs();
    std::vector<float> out(static_cast<std::size_t>(std::min(block_rows, test.rows) * row_size));
    for (std::int64_t begin = 0; begin < test.rows; begin += block_rows) {
        const std::int64_t rows = std::min(block_rows, test.rows - begin);
        network.run(test.features.data() + begin * network.dim(), rows, out.data());
        for (std::int64_t i = 0; i < rows; ++i)
            use(begin + i, {out.data() + i * row_size, network.members(), network.outputs()});
    }
}

}  // namespace

const std::vector<MeasureDefinition>& measure_definitions() {
    using model::Task;
    static const std::vector<MeasureDefinition> definitions = {
        {"accuracy", "share of rows whose class is predicted", Task::classification,
         Better::higher},
        {"balanced_accuracy", "mean over the classes of the share predicted of each",
         Task::classification, Better::higher},
        {"log_loss", "mean -ln of the true class's probability (softmax heads)",
         Task::classification, Better::lower},
        {"rmse", "root of the mean squared error, in the label's unit", Task::regression,
         Better::lower},
        {"mae", "mean absolute error, in the label's unit", Task::regression, Better::lower},
        {"max_error", "largest absolute error, in the label's unit", Task::regression,
         Better::lower},
    };
    return definitions;
}

std::vector<MeasureDefinition> measures_of(model::Task task) {
    std::vector<MeasureDefinition> result;
    for (const MeasureDefinition& definition : measure_definitions()) {
        if (definition.task == task) result.push_back(definition);
    }
    return result;
}

std::vector<double> measure(const kernels::CommitteeNetwork& network, model::Task task,
                            std::int64_t outputs, const TestPart& test) {
    if (task == model::Task::classification) {
        ClassCounts counts(outputs);
        for_each_row(network, test, [&](std::int64_t row, const Said& said) {
            counts.add(said, test.labels.classes[static_cast<std::size_t>(row)]);
        });
        return counts.values();
    }
    ErrorSums sums(outputs);
    for_each_row(network, test, [&](std::int64_t row, const Said& said) {
        sums.add(said, test.labels.targets.data() + row * outputs);
    });
    return sums.values();
}

}  // namespace sluice::campaign
