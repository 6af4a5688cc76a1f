#pragma once

#include "select/diversity/all_rows.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// How much a row stands for another one, in [0, 1], by their squared distance.
struct Similarity {
    enum class Kernel {
        gaussian,  ///< e^(-d^2 / (2 length^2))
        cosine,    ///< the cosine of rows of unit length, 0 where it is negative
        ball,      ///< 1 within `length`, 0 beyond
    };

    Kernel kernel = Kernel::gaussian;
    float length = 1.0F;

    float of(float squared) const;

    /// The same of many, in place.
    void of_all(std::span<float> squared) const;
};

/// The cosine under that metric, else the Gaussian kernel of the wanted length, or of the median
/// distance of 1,024 pairs of rows.
Similarity usual_similarity(const AllRows& all, const DiversityOptions& options);

/// Similarities of one row to all, [rows]; rows laid out once for many of these.
class SimilarityRows {
  public:
    SimilarityRows(const AllRows& all, const Similarity& similarity);

    void fill(const float* features, std::span<float> out) const;

    /// The same for some rows [n, D] in one go: out [n, rows].
    void fill_rows(kernels::MatrixView features, std::span<float> out) const;

    /// The same, similarities to the rows from `first` on alone, a multiple of 32: out [n, rows],
    /// of which columns before stay as they are.
    void fill_rows_from(std::int64_t first, kernels::MatrixView features, float* out) const;

  private:
    std::vector<std::int64_t> places_;
    kernels::PackedRows packed_;
    Similarity similarity_;
    std::int64_t dim_;
};

}  // namespace sluice::select
