#pragma once

#include "select/diversity/firal_relax.hpp"
#include "select/diversity/fisher_rows.hpp"

#include <vector>

namespace sluice::select {

/// Follows the regularised leader with a block for each class: the row that makes the sum over
/// classes of tr(B_c^-1 S_c) least, B_c = rate x (information of the picks and their part of the
/// centres') + shift S_c, S_c the class's block of what the relaxed weights say. The shift keeps
/// the sum of squared eigenvalues of S_c^(1/2) B_c^-1 S_c^(1/2) over the classes at 1. \collective
/// \source Chen, Wen and Biros, SC24 (arXiv 2409.07392), algorithm 5; rate 8 sqrt(D C).
std::vector<DiversePick> round_firal(const FisherRows& rows, const FiralRules& rules,
                                     const std::vector<double>& weights, Progress* progress,
                                     comm::Communicator& world);

}  // namespace sluice::select
