#pragma once

#include "select/scores/labeled_matrix.hpp"

#include <string>

namespace sluice::select {

/// A Bayesian linear model of the labeled and issued rows X: weights of unit prior variance, labels
/// with noise. Its precision is (noise I + X^T X) / noise; what the labels are does not matter to
/// how sure it is. \source Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006,
/// section 2.1.1.
struct LinearModel {
    Matrix factor;       ///< lower Cholesky factor L of noise I + X^T X
    double noise = 1.0;  ///< 1/1000 of the features' mean square; 1 without labeled rows
};

/// The same on all ranks. Throws Error(bad_data) naming the score if X^T X is singular in float64
/// even with the noise. \collective
LinearModel fit_linear_model(const ScorePreparation& from, const std::string& score);

/// Bytes of it, and of what it is made from.
std::int64_t linear_model_memory(std::int64_t dim, std::int64_t num_labeled);

/// z = L^-1 x in place, for columns [dim][lanes] as turn_rows gives them.
void solve_lower(const Matrix& factor, double* columns);

}  // namespace sluice::select
