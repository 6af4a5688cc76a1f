#pragma once

#include "select/scores/labeled_matrix.hpp"

#include <vector>

namespace sluice::select {

/// The eigenvalues of a symmetric matrix, in no order, in float64: plain operations in one order.
/// Costs 4/3 n^3 operations.
/// \source Golub and Van Loan, Matrix Computations, 4th ed., 8.3.1 (Householder tridiagonalisation)
///         and 8.3.3 (implicit QL as the mirror image of QR, Wilkinson's shift).
std::vector<double> symmetric_eigenvalues(Matrix matrix);

}  // namespace sluice::select
