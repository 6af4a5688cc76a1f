#include "study/statistics.hpp"

#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>

namespace sluice::study {
namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double interval_tail = 0.025;

bool is_as_good(double value, double target, Better better) {
    return better == Better::higher ? value >= target : value <= target;
}

// The half-width of the mean's interval in standard errors.
double student_quantile(double degrees) {
    return boost::math::quantile(
        boost::math::complement(boost::math::students_t(degrees), interval_tail));
}

double share_of_wins(std::span<const double> differences, Better better) {
    double wins = 0.0;
    for (const double difference : differences) {
        const double gain = better == Better::higher ? difference : -difference;
        if (gain > 0.0) wins += 1.0;
        if (gain == 0.0) wins += 0.5;
    }
    return wins / static_cast<double>(differences.size());
}

}  // namespace

LearningCurve curve_until(const LearningCurve& curve, double end) {
    LearningCurve result;
    for (std::size_t i = 0; i < curve.labels.size(); ++i) {
        if (curve.labels[i] <= end) {
            result.labels.push_back(curve.labels[i]);
            result.values.push_back(curve.values[i]);
        } else if (curve.labels[i - 1] < end) {
            const double share =
                (end - curve.labels[i - 1]) / (curve.labels[i] - curve.labels[i - 1]);
            result.labels.push_back(end);
            result.values.push_back(curve.values[i - 1] +
                                    share * (curve.values[i] - curve.values[i - 1]));
            break;
        } else {
            break;
        }
    }
    return result;
}

double area_under_curve(const LearningCurve& curve) {
    if (curve.values.empty()) return not_a_number;
    double area = 0.0;
    for (std::size_t i = 1; i < curve.values.size(); ++i) {
        area +=
            (curve.labels[i] - curve.labels[i - 1]) * (curve.values[i] + curve.values[i - 1]) * 0.5;
    }
    const double span = curve.labels.back() - curve.labels.front();
    return span > 0.0 ? area / span : curve.values.back();
}

std::optional<double> labels_to_reach(const LearningCurve& curve, double target, Better better) {
    for (std::size_t i = 0; i < curve.values.size(); ++i) {
        if (is_as_good(curve.values[i], target, better)) return curve.labels[i];
    }
    return std::nullopt;
}

Estimate estimate(std::span<const double> sample) {
    Estimate result{static_cast<std::int64_t>(sample.size()), not_a_number, not_a_number,
                    not_a_number};
    if (sample.empty()) return result;
    const auto count = static_cast<double>(sample.size());
    result.mean = std::accumulate(sample.begin(), sample.end(), 0.0) / count;
    if (sample.size() < 2) return result;
    double squares = 0.0;
    for (const double value : sample)
        squares += (value - result.mean) * (value - result.mean);
    result.deviation = std::sqrt(squares / (count - 1.0));
    result.half_width = student_quantile(count - 1.0) * result.deviation / std::sqrt(count);
    return result;
}

PairedTest paired_test(std::span<const double> first, std::span<const double> second,
                       Better better) {
    std::vector<double> differences(first.size());
    std::transform(second.begin(), second.end(), first.begin(), differences.begin(),
                   std::minus<>());
    PairedTest result{estimate(differences), not_a_number, not_a_number, not_a_number};
    if (differences.empty()) return result;
    result.wins = share_of_wins(differences, better);
    if (differences.size() < 2) return result;
    const auto count = static_cast<double>(differences.size());
    const Estimate& difference = result.difference;
    // Differences that are all 0 are no finding, all the same and not 0 a certain one.
    result.t =
        difference.mean == 0.0 ? 0.0 : difference.mean / (difference.deviation / std::sqrt(count));
    result.p = two_sided_p(result.t, count - 1.0);
    return result;
}

double two_sided_p(double t, double degrees) {
    if (std::isnan(t)) return t;
    if (std::isinf(t)) return 0.0;
    return std::min(1.0, 2.0 * boost::math::cdf(boost::math::complement(
                                   boost::math::students_t(degrees), std::abs(t))));
}

std::vector<double> holm_adjusted(std::span<const double> p) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < p.size(); ++i) {
        if (!std::isnan(p[i])) order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t left, std::size_t right) { return p[left] < p[right]; });
    std::vector<double> adjusted(p.begin(), p.end());
    double largest = 0.0;
    for (std::size_t rank = 0; rank < order.size(); ++rank) {
        const double scaled = p[order[rank]] * static_cast<double>(order.size() - rank);
        largest = std::max(largest, std::min(1.0, scaled));
        adjusted[order[rank]] = largest;
    }
    return adjusted;
}

}  // namespace sluice::study
