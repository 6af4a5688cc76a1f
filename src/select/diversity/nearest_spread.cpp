#include "select/diversity/nearest_spread.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace sluice::select {

NearestSpread::NearestSpread(kernels::MatrixView features, std::vector<float> nearest,
                             const DiversityOptions& options)
    : features_(features),
      options_(options),
      resident_(options.backend, features),
      nearest_(std::move(nearest)) {}

void NearestSpread::tell(std::int64_t local, float* to) const {
    std::copy_n(features_.row(local), width(), to);
}

void NearestSpread::add_pick(std::span<const float> told) {
    pending_.insert(pending_.end(), told.begin(), told.end());
}

void NearestSpread::refresh() {
    if (!nearest_.empty()) resident_.relax_nearest(pending(), nearest_, options_.num_threads);
    pending_.clear();
}

void NearestSpread::lower(std::span<const float> told, std::span<const std::int64_t> which,
                          std::int64_t first, std::span<double> spreads) const {
    const std::int64_t at_once = kernels::rows_at_a_time();
    std::vector<std::int32_t> chosen(static_cast<std::size_t>(num_pending() - first));
    std::iota(chosen.begin(), chosen.end(), static_cast<std::int32_t>(first));
    for (std::int64_t begin = 0; begin < std::ssize(which); begin += at_once) {
        const auto count =
            static_cast<std::size_t>(std::min<std::int64_t>(at_once, std::ssize(which) - begin));
        const auto at = static_cast<std::size_t>(begin);
        lower_tile(told, which.subspan(at, count), chosen, spreads.subspan(at, count));
    }
}

void NearestSpread::lower_tile(std::span<const float> told, std::span<const std::int64_t> which,
                               std::span<const std::int32_t> chosen,
                               std::span<double> spreads) const {
    std::vector<float> rows;
    for (const std::int64_t one : which) {
        const auto from = told.begin() + one * width();
        rows.insert(rows.end(), from, from + width());
    }
    std::vector<float> nearest(spreads.begin(), spreads.end());
    std::vector<std::int64_t> all(which.size());
    std::iota(all.begin(), all.end(), std::int64_t{0});
    kernels::relax_nearest_by({rows.data(), std::ssize(which), width()}, all, pending(), chosen,
                              {nearest, {}, 0});
    std::copy(nearest.begin(), nearest.end(), spreads.begin());
}

float NearestSpread::value(double spread) const {
    return distance_of(static_cast<float>(spread), options_.metric);
}

}  // namespace sluice::select
