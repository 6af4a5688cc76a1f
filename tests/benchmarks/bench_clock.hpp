#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

namespace sluice::bench {

/// Seconds `work` takes.
inline double seconds_of(const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The median of `values`; the upper one of two.
inline double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// Runs all `sides` in turn, `repeats` times over, after one unmeasured turn, and returns the
/// median seconds of each: taken in turn, a busy machine slows all sides alike.
inline std::vector<double> interleaved_medians(const std::vector<std::function<void()>>& sides,
                                               int repeats) {
    std::vector<std::vector<double>> seconds(sides.size());
    for (const auto& side : sides)
        side();
    for (int repeat = 0; repeat < repeats; ++repeat) {
        for (std::size_t i = 0; i < sides.size(); ++i)
            seconds[i].push_back(seconds_of(sides[i]));
    }
    std::vector<double> medians;
    for (auto& side : seconds)
        medians.push_back(median(std::move(side)));
    return medians;
}

}  // namespace sluice::bench
