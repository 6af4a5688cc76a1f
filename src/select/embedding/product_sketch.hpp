#pragma once

#include "kernels/aligned_floats.hpp"
#include "kernels/dense.hpp"

#include <cstdint>
#include <vector>

namespace sluice::select {

/// A random projection of outer products x y' that never forms them: number k of the sketch is
/// (s_k' x) (t_k' y), s_k and t_k vectors of random signs. Over sqrt(`to`), the mean of
/// <S xy', S zw'> over seeds is <x, z> <y, w>, its variance at most 8 |x|^2 |y|^2 |z|^2 |w|^2 /
/// `to`. In canonical arithmetic; immutable.
/// \source Holzmueller et al., JMLR 24(164), 2023, section 4.4 (sketches of product kernels), with
///         signs in place of normal numbers; counter-based random bits of (seed, vector, k).
class ProductSketch {
  public:
    struct Shape {
        std::int64_t left = 0;     ///< numbers of x, before the 1 that is its last
        std::int64_t right = 0;    ///< of y
        std::int64_t to = 0;       ///< of the sketch
        float left_factor = 1.0F;  ///< x is multiplied by it, but for its last number
    };

    /// `number`: of the sketch among those of one seed, below 2^24.
    ProductSketch(const Shape& shape, std::uint64_t seed, std::int64_t number);

    /// sketches [rows, to] += of left [rows, left] with a 1 after each row and right [rows, right];
    /// not yet scaled.
    void add(const float* left, const float* right, std::int64_t rows, float* sketches) const;

    std::int64_t memory_bytes() const;

  private:
    Shape shape_;
    std::vector<float> last_;  // [to] the signs of the 1
    kernels::DensePanels left_;
    kernels::DensePanels right_;
};

}  // namespace sluice::select
