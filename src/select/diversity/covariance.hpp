#pragma once

#include "select/diversity.hpp"
#include "select/diversity/packed_dots.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// M = (I + sum of x x' / sigma^2)^-1 [D,D], the covariance of a linear model's weights after noisy
/// looks at rows x, in float64. Every rank holds the same one and updates it in the same order.
class Covariance {
  public:
    Covariance(std::int64_t dim, double squared_sigma);

    std::int64_t dim() const { return dim_; }
    double squared_sigma() const { return squared_sigma_; }
    bool is_identity() const { return is_identity_; }
    std::span<const double> matrix_row(std::int64_t k) const {
        return std::span(matrix_).subspan(static_cast<std::size_t>(k * dim_),
                                          static_cast<std::size_t>(dim_));
    }

    /// M x.
    std::vector<double> times(std::span<const double> x) const;

    /// One more look at x; returns m = M x and the variance v = sigma^2 + x' M x before it, by
    /// which all x_i' M x_i fall: by (x_i' m)^2 / v.
    struct Look {
        std::vector<double> direction;
        double variance = 0.0;
    };
    Look look_at(std::span<const double> x);

    /// Takes the look at x back; the opposite of look_at.
    Look forget(std::span<const double> x);

  private:
    void add_square(std::span<const double> m, double factor);

    std::int64_t dim_;
    double squared_sigma_;
    std::vector<double> matrix_;
    bool is_identity_ = true;
};

/// Looks at all centres, in their order. \collective
void look_at_centers(const ShortlistShare& share, Covariance& covariance);

/// x_i' M x_i of each row.
std::vector<double> variances(kernels::MatrixView rows, const Covariance& covariance,
                              int num_threads);

/// |x_i|^2 of each row.
std::vector<double> squared_lengths(kernels::MatrixView rows, int num_threads);

/// `wanted`, or a thousandth of the longest row of all shares (1 if all are 0), from the squared
/// lengths of the share's rows. Throws AgreedError(usage) if that is too little for float64.
/// \collective
double noise_of(double wanted, std::span<const double> squared_lengths, comm::Communicator& world);

}  // namespace sluice::select
