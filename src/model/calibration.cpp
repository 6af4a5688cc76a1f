#include "model/calibration.hpp"

#include "kernels/aligned_floats.hpp"
#include "kernels/canonical_math.hpp"
#include "kernels/training_passes.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace sluice::model {
namespace {

constexpr std::int64_t num_bins = 15;
constexpr std::int64_t cache_line = 16;
constexpr float largest_log_temperature = 2.0794415F;  // ln 8
constexpr double deviation = 0.6931471805599453;       // ln 2: of the logarithm, before any data

// e^((logit - the member's largest) / temperature), [rows, M, C].
const float* scaled_exponentials(const HeldOutLogits& held_out, float temperature,
                                 kernels::AlignedFloats& memory) {
    const std::int64_t classes = held_out.classes;
    const auto count = std::ssize(held_out.logits);
    float* values = memory.reserve(count + cache_line);
    std::fill_n(values + count, cache_line, 0.0F);
    const float factor = 1.0F / temperature;
    for (std::int64_t i = 0; i < count; i += classes) {
        const float* logits = held_out.logits.data() + i;
        const float highest = *std::max_element(logits, logits + classes);
        for (std::int64_t c = 0; c < classes; ++c)
            values[i + c] = (logits[c] - highest) * factor;
    }
    kernels::training_passes().exponential(values, count);
    return values;
}

void add_probabilities(const float* powers, std::int64_t classes, float* sums) {
    float total = 0.0F;
    for (std::int64_t c = 0; c < classes; ++c)
        total += powers[c];
    for (std::int64_t c = 0; c < classes; ++c)
        sums[c] += powers[c] / total;
}

// ln of the probability that one member gives the truth of a row; finite however small it is.
float log_probability(const HeldOutLogits& held_out, std::int64_t place, float temperature,
                      const float* powers) {
    const std::int64_t classes = held_out.classes;
    const float* logits = held_out.logits.data() + place * classes;
    const std::int32_t own = held_out.truth[static_cast<std::size_t>(place / held_out.members)];
    float total = 0.0F;
    for (std::int64_t c = 0; c < classes; ++c)
        total += powers[c];
    const float behind = *std::max_element(logits, logits + classes) - logits[own];
    return -behind / temperature - kernels::canonical_log(total);
}

// ln of the mean of e^x.
float log_of_mean(const std::vector<float>& logarithms) {
    const float highest = *std::ranges::max_element(logarithms);
    float sum = 0.0F;
    for (const float value : logarithms)
        sum += kernels::canonical_exp(value - highest);
    return highest + kernels::canonical_log(sum / static_cast<float>(logarithms.size()));
}

std::int64_t bin_of(float confidence) {
    // Bins are (i / 15, (i + 1) / 15].
    const auto bin = static_cast<std::int64_t>(std::ceil(confidence * float{num_bins})) - 1;
    return std::clamp<std::int64_t>(bin, 0, num_bins - 1);
}

}  // namespace

HeldOutLogits logits_of(const TrainingSet& set, HeldOutOutputs held_out) {
    HeldOutLogits logits{held_out.members,
                         held_out.outputs,
                         std::move(held_out.said),
                         {},
                         std::move(held_out.counted)};
    for (const std::int64_t entry : held_out.entries)
        logits.truth.push_back(set.classes[static_cast<std::size_t>(entry)]);
    return logits;
}

std::vector<float> mean_probabilities(const HeldOutLogits& held_out, float temperature) {
    kernels::AlignedFloats memory;
    const float* powers = scaled_exponentials(held_out, temperature, memory);
    const std::int64_t classes = held_out.classes;
    std::vector<float> probabilities(static_cast<std::size_t>(held_out.rows() * classes), 0.0F);
    for (std::int64_t i = 0; i < held_out.rows(); ++i) {
        float* row = probabilities.data() + i * classes;
        float members = 0.0F;
        for (std::int64_t m = 0; m < held_out.members; ++m) {
            const std::int64_t place = i * held_out.members + m;
            if (held_out.counted[static_cast<std::size_t>(place)] == 0) continue;
            add_probabilities(powers + place * classes, classes, row);
            members += 1.0F;
        }
        for (std::int64_t c = 0; c < classes; ++c)
            row[c] /= members;
    }
    return probabilities;
}

double negative_log_likelihood(const HeldOutLogits& held_out, float temperature) {
    kernels::AlignedFloats memory;
    const float* powers = scaled_exponentials(held_out, temperature, memory);
    std::vector<float> logarithms;
    double sum = 0.0;
    for (std::int64_t i = 0; i < held_out.rows(); ++i) {
        logarithms.clear();
        for (std::int64_t m = 0; m < held_out.members; ++m) {
            const std::int64_t place = i * held_out.members + m;
            if (held_out.counted[static_cast<std::size_t>(place)] == 0) continue;
            logarithms.push_back(
                log_probability(held_out, place, temperature, powers + place * held_out.classes));
        }
        sum -= static_cast<double>(log_of_mean(logarithms));
    }
    return sum / static_cast<double>(held_out.rows());
}

float fit_temperature(const HeldOutLogits& held_out) {
    constexpr float golden = 0.618033989F;
    constexpr int steps = 24;  // the interval shrinks to 4e-5 of its length
    const auto temperature_at = [](float logarithm) { return kernels::canonical_exp(logarithm); };
    // The prior's weight against the mean over rows.
    const double prior = 1.0 / (2.0 * deviation * deviation * static_cast<double>(held_out.rows()));
    const auto loss_at = [&](float logarithm) {
        const double off = logarithm;
        return negative_log_likelihood(held_out, temperature_at(logarithm)) + prior * off * off;
    };
    float low = -largest_log_temperature;
    float high = largest_log_temperature;
    float left = high - golden * (high - low);
    float right = low + golden * (high - low);
    double left_loss = loss_at(left);
    double right_loss = loss_at(right);
    for (int step = 0; step < steps; ++step) {
        if (left_loss < right_loss) {  // of equal ones the one that is less sure
            high = right;
            right = left;
            right_loss = left_loss;
            left = high - golden * (high - low);
            left_loss = loss_at(left);
        } else {
            low = left;
            left = right;
            left_loss = right_loss;
            right = low + golden * (high - low);
            right_loss = loss_at(right);
        }
    }
    return temperature_at(0.5F * (low + high));
}

double expected_calibration_error(std::span<const float> probabilities,
                                  std::span<const std::int32_t> truth, std::int64_t classes) {
    double confidence[num_bins] = {};
    double right[num_bins] = {};
    for (std::size_t i = 0; i < truth.size(); ++i) {
        const float* row = probabilities.data() + static_cast<std::int64_t>(i) * classes;
        const float* best = std::max_element(row, row + classes);
        const std::int64_t bin = bin_of(*best);
        confidence[bin] += static_cast<double>(*best);
        if (best - row == truth[i]) right[bin] += 1.0;
    }
    double error = 0.0;
    for (std::int64_t bin = 0; bin < num_bins; ++bin)
        error += std::fabs(right[bin] - confidence[bin]);
    return truth.empty() ? 0.0 : error / static_cast<double>(truth.size());
}

}  // namespace sluice::model
