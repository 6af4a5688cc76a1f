#pragma once

#include <cstdint>
#include <span>

namespace sluice::campaign {

/// Cohen's kappa of two lists of classes [rows]: agreement beyond chance. 1 = they are the same,
/// also where both name one class only (0 / 0, which scikit-learn makes NaN).
/// \source Cohen, "A Coefficient of Agreement for Nominal Scales", Educ. Psychol. Meas. 20 (1960).
double cohen_kappa(std::span<const std::int32_t> before, std::span<const std::int32_t> after);

/// The predicted change of the F score, 1 - 2a / (2a + b + c): a rows are positive in both lists, b
/// and c in one of them. With two classes, class 1 is positive; with more, the mean over the
/// classes that occur. 0 if no class 1 occurs.
/// \source Altschuler and Bloodgood, ICSC 2019 (see stop_rules.hpp), equation for the 2 x 2 table.
double delta_f(std::span<const std::int32_t> before, std::span<const std::int32_t> after,
               std::int64_t num_classes);

/// The share of rows whose class changed.
double classification_change(std::span<const std::int32_t> before,
                             std::span<const std::int32_t> after);

/// Predictions [rows, width] of numbers: root of the squared differences' sum over the sum of
/// squares of `before` around its mean, averaged over the components. Without units; 0 = nothing
/// changed, 1 = changes are as large as what is predicted varies.
double regression_change(std::span<const float> before, std::span<const float> after,
                         std::int64_t width);

}  // namespace sluice::campaign
