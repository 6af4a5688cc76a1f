#pragma once

#include "comm/communicator.hpp"
#include "kernels/nearest_center.hpp"
#include "select/diversity.hpp"
#include "select/scores/labeled_matrix.hpp"

#include <cstdint>
#include <span>
#include <vector>

/// Fisher information of a last layer: of a row with features x it is x x^T for a regression, and
/// x x^T (x) (diag p - p p^T) for class probabilities p. Everywhere it is V V^T with
/// V = x (x) root, root [r, r] and r = 1 or the classes; parameter (d, c) is number d r + c. All in
/// float64, plain operations in one order.
namespace sluice::select {

/// root with root root^T = diag p - p p^T: diag(sqrt p) - p sqrt(p)^T.
std::vector<double> class_root(std::span<const double> p);

/// Mean of the members' class probabilities, its sum 1.
std::vector<double> mean_probabilities(std::span<const float> member_says, std::int64_t members);

/// Sums of information that are the same in any order: in whole numbers of a step, a power of two
/// by which the largest term of any row has 62 - log2(rows) binary digits.
class InformationSum {
  public:
    InformationSum(std::int64_t dim, std::int64_t rank) : dim_(dim), rank_(rank) {}

    /// Chooses the step for these rows of all ranks, roots [rows][r, r]; returns their sum [n, n].
    /// \collective
    Matrix over_ranks(kernels::MatrixView features, const std::vector<std::vector<double>>& roots,
                      comm::Communicator& world) const;

    /// sum += weight x information of one row.
    void add(const float* x, const std::vector<double>& root, double weight, Matrix& sum) const;

  private:
    std::int64_t dim_;
    std::int64_t rank_;
};

/// A row, and what the greedy knows of it: V^T M V and V^T M F M V, [r, r] each.
struct FisherRow {
    const float* x = nullptr;
    std::vector<double> root;
    std::vector<double> own_inverse;
    std::vector<double> own_error;
};

/// tr(M F) as rows join and leave, with M the inverse of the information of all rows that have
/// joined: of a row in O(D r^2 + r^3), by Woodbury's identity.
class FisherTrace {
  public:
    /// One row joined (+1) or left (-1).
    struct Step {
        std::vector<double> inverse_v;  ///< M V [n, r]
        std::vector<double> error_v;    ///< M F M V [n, r]
        std::vector<double> core;       ///< (sign I + V^T M V)^-1 [r, r]
        std::vector<double> own_error;  ///< V^T M F M V [r, r]
    };

    /// M and F, [n, n].
    FisherTrace(std::int64_t dim, std::int64_t rank, Matrix inverse, Matrix error);

    double trace() const { return trace_; }

    FisherRow row(const float* x, std::vector<double> root) const;

    /// How much tr(M F) falls when the row joins; how much it rises when it leaves (infinite if
    /// without it M is beyond float64).
    double fall(const FisherRow& row) const;
    double rise(const FisherRow& row) const;

    Step join(const FisherRow& row) { return change(row, 1.0); }
    Step leave(const FisherRow& row) { return change(row, -1.0); }

    /// Takes a step of another row in.
    void update(const Step& step, FisherRow& row) const;

  private:
    Step change(const FisherRow& row, double sign);
    std::vector<double> times_v(const Matrix& matrix, const FisherRow& row) const;
    std::vector<double> v_times(const std::vector<double>& matrix, const FisherRow& row) const;

    std::int64_t dim_;
    std::int64_t rank_;
    Matrix inverse_;
    Matrix error_;  ///< F
    Matrix both_;   ///< M F M
    double trace_ = 0.0;
};

/// a b, square matrices.
Matrix product(const Matrix& a, const Matrix& b);

}  // namespace sluice::select
