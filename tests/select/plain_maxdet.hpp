#pragma once

#include "diversity_lists.hpp"
#include "select/diversity/covariance.hpp"
#include "select/diversity/row_greedy.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace sluice::select::test {

/// The greedy that looks at every row for each pick, or at `first` for the first one if that is
/// not below 0.
inline std::vector<DiversePick> plain_greedy(const List& list, const DiversityOptions& options,
                                             std::int64_t first,
                                             const std::function<double(std::int64_t)>& gain,
                                             const std::function<float(std::int64_t)>& take) {
    std::vector<DiversePick> picks;
    std::vector<bool> taken(list.scores.size(), false);
    while (std::ssize(picks) < std::min(options.num_picks, list.size())) {
        Gain best;
        for (std::int64_t i = 0; i < list.size() && first < 0; ++i) {
            const Gain one{gain(i), List::row(i)};
            if (!taken[static_cast<std::size_t>(i)] && beats(one, best)) best = one;
        }
        const std::int64_t place = first >= 0 ? first : List::place(best.row);
        first = -1;
        taken[static_cast<std::size_t>(place)] = true;
        picks.push_back({List::row(place), take(place)});
    }
    return picks;
}

/// maxdet in float64, with one dot product for each row and pick.
inline std::vector<DiversePick> plain_maxdet(const List& list, const DiversityOptions& options) {
    Covariance covariance(list.dim, options.parameters.sigma * options.parameters.sigma);
    const auto wide = [&](const float* x) { return std::vector<double>(x, x + list.dim); };
    for (std::int64_t c = 0; c < list.num_centers(); ++c)
        static_cast<void>(covariance.look_at(wide(list.center(c))));
    const auto quality = [&](std::int64_t i) {
        return options.parameters.strength > 0.0 ? double{list.scores[static_cast<std::size_t>(i)]}
                                                 : 1.0;
    };
    std::vector<double> variances;
    for (std::int64_t i = 0; i < list.size(); ++i)
        variances.push_back(dot(wide(list.at(i)), covariance.times(wide(list.at(i)))));
    const auto gain = [&](std::int64_t i) {
        return covariance.squared_sigma() +
               quality(i) * quality(i) * variances[static_cast<std::size_t>(i)];
    };
    return plain_greedy(list, options, -1, gain, [&](std::int64_t picked) {
        const auto value = static_cast<float>(std::sqrt(gain(picked)));
        std::vector<double> scaled = wide(list.at(picked));
        for (double& one : scaled)
            one *= quality(picked);
        const Covariance::Look look = covariance.look_at(scaled);
        for (std::int64_t i = 0; i < list.size(); ++i) {
            const double along = dot(wide(list.at(i)), look.direction);
            variances[static_cast<std::size_t>(i)] -= along * along / look.variance;
        }
        return value;
    });
}

}  // namespace sluice::select::test
