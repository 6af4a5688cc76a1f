#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

/// Mutual information of a committee's logits in long double, straight from its definition as the
/// members' mean divergence from their mean. With 64 bits of mantissa (x86-64) a probability is
/// good to about 2e-19 of itself, so that the result is good to 1e-7 of itself where members differ
/// by more than 1e-11 of a probability in the classes that decide it.
namespace sluice::oracle {

using LongRow = std::vector<long double>;

inline LongRow long_softmax(const float* logits, std::size_t classes) {
    const long double highest = *std::max_element(logits, logits + classes);
    LongRow e;
    long double sum = 0.0L;
    for (std::size_t c = 0; c < classes; ++c)
        sum += e.emplace_back(std::exp(static_cast<long double>(logits[c]) - highest));
    for (long double& value : e)
        value /= sum;
    return e;
}

/// r ln r - r + 1 for r = p / mean.
inline long double divergence_term(long double p, long double mean) {
    const long double f = (p - mean) / mean;
    if (std::abs(f) < 1e-4L)
        return f * f * (0.5L - f * (1.0L / 6 - f * (1.0L / 12 - f * (1.0L / 20 - f / 30))));
    if (std::abs(f) < 0.5L) return (1.0L + f) * std::log1p(f) - f;
    return p > 0.0L ? p / mean * std::log(p / mean) - f : 1.0L;
}

inline double bald_of_logits(const std::vector<float>& logits, std::size_t members) {
    const std::size_t classes = logits.size() / members;
    const auto count = static_cast<long double>(members);
    std::vector<LongRow> probabilities;
    LongRow mean(classes, 0.0L);
    for (std::size_t m = 0; m < members; ++m) {
        probabilities.push_back(long_softmax(logits.data() + m * classes, classes));
        for (std::size_t c = 0; c < classes; ++c)
            mean[c] += probabilities.back()[c] / count;
    }
    long double sum = 0.0L;
    for (const LongRow& member : probabilities)
        for (std::size_t c = 0; c < classes; ++c)
            if (mean[c] > 0.0L) sum += mean[c] * divergence_term(member[c], mean[c]);
    return static_cast<double>(sum / count);
}

}  // namespace sluice::oracle
