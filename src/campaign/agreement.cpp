#include "campaign/agreement.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <set>

namespace sluice::campaign {
namespace {

using Classes = std::span<const std::int32_t>;

std::int64_t num_equal(Classes before, Classes after) {
    std::int64_t count = 0;
    for (std::size_t i = 0; i < before.size(); ++i)
        count += before[i] == after[i] ? 1 : 0;
    return count;
}

std::map<std::int32_t, std::int64_t> counts_of(Classes classes) {
    std::map<std::int32_t, std::int64_t> counts;
    for (const std::int32_t value : classes)
        ++counts[value];
    return counts;
}

double delta_f_of_class(Classes before, Classes after, std::int32_t positive) {
    std::int64_t both = 0;
    std::int64_t one = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
        const bool was = before[i] == positive;
        const bool is = after[i] == positive;
        both += was && is ? 1 : 0;
        one += was != is ? 1 : 0;
    }
    if (both + one == 0) return 0.0;
    return 1.0 - 2.0 * static_cast<double>(both) / static_cast<double>(2 * both + one);
}

// Of one component.
double relative_change(std::span<const float> before, std::span<const float> after,
                       std::size_t component, std::size_t width) {
    const std::size_t rows = before.size() / width;
    double mean = 0.0;
    for (std::size_t i = 0; i < rows; ++i)
        mean += before[i * width + component];
    mean /= static_cast<double>(rows);
    double spread = 0.0;
    double moved = 0.0;
    for (std::size_t i = 0; i < rows; ++i) {
        const double value = before[i * width + component];
        const double difference = after[i * width + component] - value;
        moved += difference * difference;
        spread += (value - mean) * (value - mean);
    }
    if (moved == 0.0) return 0.0;
    return spread > 0.0 ? std::sqrt(moved / spread) : std::numeric_limits<double>::infinity();
}

}  // namespace

double cohen_kappa(Classes before, Classes after) {
    const auto rows = static_cast<double>(before.size());
    const std::int64_t equal = num_equal(before, after);
    if (equal == std::ssize(before)) return 1.0;
    std::map<std::int32_t, std::int64_t> others = counts_of(after);
    double by_chance = 0.0;
    for (const auto& [value, count] : counts_of(before))
        by_chance += static_cast<double>(count) * static_cast<double>(others[value]);
    by_chance /= rows * rows;
    return (static_cast<double>(equal) / rows - by_chance) / (1.0 - by_chance);
}

double delta_f(Classes before, Classes after, std::int64_t num_classes) {
    if (num_classes <= 2) return delta_f_of_class(before, after, 1);
    std::set<std::int32_t> seen(before.begin(), before.end());
    seen.insert(after.begin(), after.end());
    double sum = 0.0;
    for (const std::int32_t positive : seen)
        sum += delta_f_of_class(before, after, positive);
    return seen.empty() ? 0.0 : sum / static_cast<double>(seen.size());
}

double classification_change(Classes before, Classes after) {
    const auto rows = static_cast<double>(before.size());
    return (rows - static_cast<double>(num_equal(before, after))) / std::max(rows, 1.0);
}

double regression_change(std::span<const float> before, std::span<const float> after,
                         std::int64_t width) {
    const auto components = static_cast<std::size_t>(width);
    double sum = 0.0;
    for (std::size_t t = 0; t < components; ++t)
        sum += relative_change(before, after, t, components);
    return sum / static_cast<double>(components);
}

}  // namespace sluice::campaign
