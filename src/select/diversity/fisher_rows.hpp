#pragma once

#include "comm/communicator.hpp"
#include "select/diversity.hpp"
#include "select/scores/labeled_matrix.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// A shortlist and, behind it, the centres, with mean class probabilities, dealt out to the ranks
/// in blocks of 64 places: sums over rows are made block by block in the order of places and across
/// blocks in whole numbers, so that they are the same for any number of ranks and threads.
/// Information of a row is (diag p - p p^T) (x) x x^T; blocks of parameters are [D, C, s] for s
/// vectors side by side. All in float64, plain operations in one order.
class FisherRows {
  public:
    /// \collective
    FisherRows(const ShortlistShare& share, int num_threads, comm::Communicator& world);

    std::int64_t dim() const { return dim_; }
    std::int64_t classes() const { return classes_; }
    std::int64_t num_rows() const { return std::ssize(rows_); }  ///< of the shortlist
    std::int64_t num_places() const { return num_rows() + num_centers_; }
    RowId row(std::int64_t place) const { return rows_[static_cast<std::size_t>(place)]; }

    /// Places of this rank.
    RowRange own() const { return own_; }
    const float* x(std::int64_t own) const { return x_.data() + own * dim_; }
    const double* p(std::int64_t own) const { return p_.data() + own * classes_; }

    /// [own, columns] = x v of `v` [D, columns].
    std::vector<double> products(std::span<const double> v, std::int64_t columns) const;

    /// [D, columns]: sum over all places of x times `a` [own, columns]. \collective
    std::vector<double> sum(std::span<const double> a, std::int64_t columns,
                            comm::Communicator& world) const;

    /// For each class c: sum over all places of weights [places] x p_c (1 - p_c) x x^T [D, D].
    /// \collective
    std::vector<Matrix> class_blocks(std::span<const double> weights,
                                     comm::Communicator& world) const;

    /// x and p of a place, on every rank. \collective
    std::vector<float> x_of(std::int64_t place, comm::Communicator& world) const;
    std::vector<double> p_of(std::int64_t place, comm::Communicator& world) const;

  private:
    struct Scales;
    Scales scales_of(std::span<const double> a, std::int64_t columns,
                     comm::Communicator& world) const;
    void keep_own(std::span<const float> values, std::span<const float> says,
                  std::span<const std::size_t> order, const ShortlistShare& share);

    std::int64_t dim_;
    std::int64_t classes_;
    int num_threads_;
    std::vector<RowId> rows_;  // ascending
    std::int64_t num_centers_;
    RowRange own_;
    std::vector<float> x_;        // [own, D]
    std::vector<double> p_;       // [own, C]
    std::vector<float> largest_;  // [D] |x| of all places
};

}  // namespace sluice::select
