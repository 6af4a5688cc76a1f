#pragma once

#include "model/metrics.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sluice::study {

using model::Better;

/// A learning curve: what was measured after so many labels, or at such a cost of them (ascending).
struct LearningCurve {
    std::vector<double> labels;
    std::vector<double> values;
};

/// The curve up to `end`, where it is cut between two points by the line between them. Requires a
/// curve that begins at or before `end`.
LearningCurve curve_until(const LearningCurve& curve, double end);

/// The mean height of a curve: trapezoids over labels, divided by the labels they span; the value
/// itself where the curve is one point. NaN for an empty curve.
double area_under_curve(const LearningCurve& curve);

/// Labels of the first point that is as good as `target`; nothing if none is.
std::optional<double> labels_to_reach(const LearningCurve& curve, double target, Better better);

/// A sample's mean and what is known of it.
struct Estimate {
    std::int64_t count = 0;
    double mean = 0.0;
    double deviation = 0.0;   ///< standard deviation, n - 1; NaN for fewer than two numbers
    double half_width = 0.0;  ///< of the 95 % interval of the mean by Student's t; NaN likewise
};
Estimate estimate(std::span<const double> sample);

/// Student's t-test of the differences second - first of two samples taken in pairs.
struct PairedTest {
    Estimate difference;
    double t = 0.0;     ///< NaN for fewer than two pairs
    double p = 0.0;     ///< two-sided; 1 where all differences are 0; NaN for fewer than two pairs
    double wins = 0.0;  ///< share of pairs in which the second is better, ties half
};

/// Requires samples of one length.
/// \source Student (W. S. Gosset), "The probable error of a mean", Biometrika 6 (1908).
PairedTest paired_test(std::span<const double> first, std::span<const double> second,
                       Better better);

/// P(|T| >= |t|) of Student's t with `degrees` degrees of freedom.
double two_sided_p(double t, double degrees);

/// p values of tests that are read together, adjusted so that the chance of any false finding stays
/// below the level one compares them with. NaN stays NaN and does not count.
/// \source Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6
///         (1979).
std::vector<double> holm_adjusted(std::span<const double> p);

}  // namespace sluice::study
