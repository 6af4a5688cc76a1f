#include "model/losses.hpp"

#include "core/error.hpp"
#include "kernels/canonical_math.hpp"
#include "kernels/training_passes.hpp"

#include <algorithm>
#include <cstddef>

namespace sluice::model {
namespace {

using Entries = std::span<const std::int64_t>;

float one_over(std::size_t count) {
    return 1.0F / static_cast<float>(count);
}

std::int32_t class_of(const TrainingSet& set, std::int64_t entry) {
    return set.classes[static_cast<std::size_t>(entry)];
}

class SoftmaxLoss : public Loss {
  public:
    explicit SoftmaxLoss(const TrainingSet& set) : set_(set) {}

    std::int64_t outputs() const override { return set_.outputs; }

    double measure(Entries entries, float* said) const override {
        const auto rows = static_cast<std::int64_t>(entries.size());
        const std::int64_t classes = set_.outputs;
        double total = 0.0;
        for (std::int64_t i = 0; i < rows; ++i) {
            const std::int64_t entry = entries[static_cast<std::size_t>(i)];
            float* row = said + i * classes;
            const float highest = *std::max_element(row, row + classes);
            for (std::int64_t c = 0; c < classes; ++c)
                row[c] -= highest;
            total -= static_cast<double>(set_.weight(entry)) *
                     static_cast<double>(row[class_of(set_, entry)]);
        }
        kernels::training_passes().exponential(said, rows * classes);
        const float share = one_over(entries.size());
        for (std::int64_t i = 0; i < rows; ++i) {
            const std::int64_t entry = entries[static_cast<std::size_t>(i)];
            const float weight = set_.weight(entry);
            float* row = said + i * classes;
            float sum = 0.0F;
            for (std::int64_t c = 0; c < classes; ++c)
                sum += row[c];
            total += static_cast<double>(weight) * static_cast<double>(kernels::canonical_log(sum));
            const float factor = weight * share / sum;
            for (std::int64_t c = 0; c < classes; ++c)
                row[c] *= factor;
            row[class_of(set_, entry)] -= weight * share;
        }
        return total;
    }

  private:
    const TrainingSet& set_;
};

// One decision value for each class, of two classes one for both: positive for the class 1.
class HingeLoss : public Loss {
  public:
    explicit HingeLoss(const TrainingSet& set) : set_(set) {}

    std::int64_t outputs() const override { return set_.outputs == 2 ? 1 : set_.outputs; }

    double measure(Entries entries, float* said) const override {
        const float share = one_over(entries.size());
        const std::int64_t first_class = outputs() == 1 ? 1 : 0;
        double total = 0.0;
        for (const std::int64_t entry : entries) {
            const std::int64_t own = class_of(set_, entry);
            const float weight = set_.weight(entry);
            for (std::int64_t c = 0; c < outputs(); ++c, ++said) {
                const float sign = c + first_class == own ? 1.0F : -1.0F;
                const float missing = std::max(0.0F, 1.0F - sign * *said);
                total += static_cast<double>(weight) * static_cast<double>(missing * missing);
                *said = -2.0F * sign * missing * share * weight;
            }
        }
        return total;
    }

  private:
    const TrainingSet& set_;
};

class SquaresLoss : public Loss {
  public:
    SquaresLoss(const TrainingSet& set, std::span<const float> targets)
        : components_(set.outputs), targets_(targets) {}

    std::int64_t outputs() const override { return components_; }

    double measure(Entries entries, float* said) const override {
        const float mean = one_over(static_cast<std::size_t>(components_));
        const float share = one_over(entries.size()) * mean;
        double total = 0.0;
        for (const std::int64_t entry : entries) {
            const float* wanted = targets_.data() + entry * components_;
            for (std::int64_t t = 0; t < components_; ++t, ++said) {
                const float miss = *said - wanted[t];
                total += static_cast<double>(miss * miss * mean);
                *said = 2.0F * miss * share;
            }
        }
        return total;
    }

  private:
    std::int64_t components_;
    std::span<const float> targets_;
};

// The outputs are T predictions, then the logarithms of their T variances, held in a range where
// one label cannot take over.
class GaussianLoss : public Loss {
  public:
    GaussianLoss(const TrainingSet& set, std::span<const float> targets)
        : components_(set.outputs), targets_(targets) {}

    std::int64_t outputs() const override { return 2 * components_; }

    double measure(Entries entries, float* said) const override {
        const float mean = one_over(static_cast<std::size_t>(components_));
        const float share = one_over(entries.size()) * mean;
        double total = 0.0;
        for (const std::int64_t entry : entries) {
            const float* wanted = targets_.data() + entry * components_;
            for (std::int64_t t = 0; t < components_; ++t) {
                const float log_variance =
                    std::clamp(said[components_ + t], -largest_log, largest_log);
                const float precision = kernels::canonical_exp(-log_variance);
                const float miss = said[t] - wanted[t];
                const float square = miss * miss * precision;
                total +=
                    static_cast<double>(mean * (half_log_two_pi + 0.5F * (log_variance + square)));
                said[t] = miss * precision * share;
                said[components_ + t] = 0.5F * (1.0F - square) * share;
            }
            said += outputs();
        }
        return total;
    }

  private:
    static constexpr float largest_log = 14.0F;  // a deviation of 0.001 or 1000 normalised units
    static constexpr float half_log_two_pi = 0.918938533F;

    std::int64_t components_;
    std::span<const float> targets_;
};

}  // namespace

std::unique_ptr<Loss> make_loss(Head head, const TrainingSet& set, std::span<const float> targets) {
    switch (head) {
        case Head::softmax:
            return std::make_unique<SoftmaxLoss>(set);
        case Head::hinge:
            return std::make_unique<HingeLoss>(set);
        case Head::squares:
            return std::make_unique<SquaresLoss>(set, targets);
        case Head::gaussian:
            return std::make_unique<GaussianLoss>(set, targets);
    }
    throw Error(ExitCode::internal, "a head without a loss");
}

}  // namespace sluice::model
