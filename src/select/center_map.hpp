#pragma once

#include "kernels/nearest_center.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// Distances between the centres, which tell that a centre cannot come nearer to a row than the
/// row's present one does, without looking at the row: by the triangle inequality that is so when
/// the two centres are twice as far apart as the row is from its own.
/// \source Elkan 2003, Using the triangle inequality to accelerate k-means, ICML, lemma 1.
class CenterMap {
  public:
    /// The map covers the first `capacity` centres; takes capacity^2 floats as it fills.
    explicit CenterMap(std::int64_t capacity) : capacity_(capacity) {}

    std::int64_t capacity() const { return capacity_; }

    /// Takes in the centres added since the last call. Requires centers.rows <= capacity.
    void extend(kernels::MatrixView centers, int num_threads);

    /// Sets marks[c] for each centre c >= first of those mapped that might come nearer than
    /// `nearest` (squared, canonical) to a row whose present centre is `owner`. No centre left
    /// unmarked has a canonical distance below `nearest`.
    void mark_near(std::int32_t owner, std::int64_t first, float nearest,
                   std::span<std::uint8_t> marks) const;

    /// Places of the centres in an order in which neighbours follow each other: every centre comes
    /// after the centre that was nearest when it was added, children together.
    std::vector<std::int32_t> places() const;

  private:
    float* row(std::int64_t center) { return distances_.data() + center * capacity_; }
    const float* row(std::int64_t center) const { return distances_.data() + center * capacity_; }

    std::int64_t capacity_;
    std::int64_t dim_ = 0;
    std::int64_t size_ = 0;
    std::vector<float> distances_;        // [size, capacity]
    std::vector<std::int32_t> follower_;  // [size] the next one in the order; -1: none
};

}  // namespace sluice::select
