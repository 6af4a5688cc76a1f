#pragma once

#include "select/diversity/fisher_rows.hpp"

#include <cstdint>
#include <vector>

namespace sluice::select {

struct FiralRules {
    std::int64_t num_picks = 1;
    double squared_sigma = 1.0;
    std::uint64_t seed = 0;
    std::uint32_t round = 1;
    int num_threads = 1;
};

struct RelaxedWeights {
    std::vector<double> weights;  ///< [rows of the shortlist], their sum 1; the same on all ranks
    double objective = 0.0;       ///< tr(S^-1 F) at them, estimated
};

/// Weights of least tr(S^-1 F), S = sigma^2 I + information of the centres + num_picks x that of
/// the weighted shortlist, F the shortlist's mean: 60 multiplicative steps w_i ~ w_i
/// sqrt(-dtr/dw_i), which never raise the trace where slopes are exact, and the mean of the
/// last 30. Slopes are estimated anew in each step from 16 vectors b with E[b b^T] = F, by q = S^-1
/// b: -dtr/dw_i = num_picks E[q^T H_i q]. That is half the solves of Approx-FIRAL's estimate, and
/// never negative. Solved by conjugate gradients to 1 % of b, with the classes' blocks of S (at
/// most 3 steps old) as preconditioner. \collective \source Chen, Wen and Biros, SC24 (arXiv
/// 2409.07392), algorithm 4; Yu, "Monotonic convergence of
///         a general algorithm for computing optimal designs", Ann. Statist. 38 (2010).
RelaxedWeights relax_firal(const FisherRows& rows, const FiralRules& rules,
                           comm::Communicator& world);

/// Weights of all places: num_picks x those of the shortlist, then 1 for each centre.
std::vector<double> place_weights(const FisherRows& rows, const std::vector<double>& weights,
                                  std::int64_t num_picks);

}  // namespace sluice::select
