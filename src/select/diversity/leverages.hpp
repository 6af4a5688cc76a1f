#pragma once

#include "comm/communicator.hpp"
#include "kernels/aligned_floats.hpp"
#include "kernels/nearest_center.hpp"
#include "select/diversity.hpp"
#include "select/diversity/all_rows.hpp"
#include "select/diversity/covariance.hpp"

#include <cstdint>
#include <span>
#include <vector>

/// What a linear model of the features still does not know: tr(M F), with M its Covariance and F
/// the information of all rows, and how much of it goes as M looks at one of them. All in float64,
/// plain operations in one order.
namespace sluice::select {

/// F [D,D] = sum of x x' over a shortlist's rows, by blocks of 256 in their order, and then over
/// the centres, in theirs. Each rank adds up some of its lines. \collective
std::vector<double> information_of(const AllRows& all, const ShortlistShare& share, int num_threads,
                                   comm::Communicator& world);

/// The root of the mean squared length of the centres, or of the shortlist's rows where there are
/// no centres; 1 if all are 0. \collective
double usual_length(const AllRows& all, const ShortlistShare& share);

/// M looks at x, or forgets it: what rows have to know of that.
struct Glance {
    std::vector<double> m;  ///< M x, of M before it
    std::vector<double> w;  ///< M F M x
    double m_f_m = 0.0;     ///< x' M F M x
    double variance = 0.0;  ///< sigma^2 + x' M x; or, of one forgotten, x' M x - sigma^2
};
Glance look_at(std::span<const double> x, std::span<const double> information, Covariance& m);
Glance forget(std::span<const double> x, std::span<const double> information, Covariance& m);

/// Rows x_i: v_i = x_i' M x_i and b_i = x_i' M F M x_i, kept up to date as M changes. tr(M F) falls
/// by b_i / (sigma^2 + v_i) when M looks at x_i, and rises by b_i / (sigma^2 - v_i) when it is
/// forgotten.
class Leverages {
  public:
    /// Copies `rows`.
    Leverages(kernels::MatrixView rows, const Covariance& m, std::span<const double> information,
              int num_threads);

    /// In O(D) a row.
    void update(const Glance& glance);

    double v(std::size_t i) const { return v_[i]; }
    double b(std::size_t i) const { return b_[i]; }

  private:
    std::vector<double> forms(std::span<const double> matrix) const;
    void take_off(std::int64_t first, std::span<const double> along_m, const double* along_w,
                  const Glance& glance);
    std::int64_t num_panels() const;

    std::int64_t num_rows_;
    std::int64_t dim_;
    int num_threads_;
    kernels::AlignedFloats panels_;
    std::vector<double> v_;
    std::vector<double> b_;
};

}  // namespace sluice::select
