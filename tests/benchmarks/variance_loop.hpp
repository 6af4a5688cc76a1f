#pragma once

#include "benchmarks/packed_groups.hpp"
#include "kernels/aligned_floats.hpp"
#include "kernels/worker_pool.hpp"

#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace sluice::bench {

/// The greedy for log det(sigma^2 I + K) with one pass over all rows for each pick, as fast as
/// memory allows: float32, rows transposed in groups of 64, a dot product a row and pick, variance
/// and argmax in the same pass. Needs AVX-512.
class VarianceLoop {
  public:
    VarianceLoop(const float* rows, std::int64_t num_rows, std::int64_t dim, int num_threads)
        : rows_(rows), num_rows_(num_rows), dim_(dim), num_threads_(num_threads) {
        num_groups_ = pack_groups(rows, num_rows, dim, num_threads, packed_);
    }

    std::vector<std::int64_t> pick(std::int64_t num_picks, double sigma) {
        variances_.assign(static_cast<std::size_t>(num_groups_ * group), 0.0F);
        matrix_.assign(static_cast<std::size_t>(dim_ * dim_), 0.0F);
        for (std::int64_t k = 0; k < dim_; ++k)
            matrix_[static_cast<std::size_t>(k * dim_ + k)] = 1.0F;
        std::vector<float> direction(static_cast<std::size_t>(dim_), 0.0F);
        float variance = 1.0F;
        for (std::int64_t i = 0; i < num_groups_ * group; ++i)
            variances_[static_cast<std::size_t>(i)] = i < num_rows_ ? squared_length(i) : -1.0F;
        std::vector<std::int64_t> picks;
        for (std::int64_t pick = 0; pick < num_picks; ++pick) {
            const std::int64_t row = pass(direction.data(), variance);
            variances_[static_cast<std::size_t>(row)] = -1.0F;
            picks.push_back(row);
            variance = look_at(rows_ + row * dim_, static_cast<float>(sigma * sigma), direction);
        }
        return picks;
    }

    double gigabytes() const {
        return static_cast<double>(num_groups_ * group * dim_) * sizeof(float) * 1e-9;
    }

  private:
    static constexpr std::int64_t group = rows_of_group;
    static constexpr std::int64_t ahead = 1024;  // floats fetched before their turn

    struct Best {
        float variance = -1.0F;
        std::int64_t row = 0;
    };

    float squared_length(std::int64_t row) const {
        float sum = 0.0F;
        for (std::int64_t k = 0; k < dim_; ++k)
            sum += rows_[row * dim_ + k] * rows_[row * dim_ + k];
        return sum;
    }

    __attribute__((target("avx512f"))) float look_at(const float* x, float squared_sigma,
                                                     std::vector<float>& direction) {
        float variance = squared_sigma;
        for (std::int64_t k = 0; k < dim_; ++k) {
            float sum = 0.0F;
            const float* const row = matrix_.data() + k * dim_;
#pragma GCC ivdep
            for (std::int64_t l = 0; l < dim_; ++l)
                sum += row[l] * x[l];
            direction[static_cast<std::size_t>(k)] = sum;
            variance += x[k] * sum;
        }
        for (std::int64_t k = 0; k < dim_; ++k) {
            const float scaled = direction[static_cast<std::size_t>(k)] / variance;
            for (std::int64_t l = 0; l < dim_; ++l)
                matrix_[static_cast<std::size_t>(k * dim_ + l)] -=
                    scaled * direction[static_cast<std::size_t>(l)];
        }
        return variance;
    }

    std::int64_t pass(const float* direction, float variance) {
        const std::int64_t num_parts = 16 * num_threads_;
        std::vector<Best> bests(static_cast<std::size_t>(num_parts));
        kernels::parallel_for(num_threads_, num_parts, [&](std::int64_t part) {
            bests[static_cast<std::size_t>(part)] =
                lower(num_groups_ * part / num_parts, num_groups_ * (part + 1) / num_parts,
                      direction, 1.0F / variance);
        });
        return std::max_element(
                   bests.begin(), bests.end(),
                   [](const Best& a, const Best& b) { return a.variance < b.variance; })
            ->row;
    }

    __attribute__((target("avx512f"))) Best lower(std::int64_t begin, std::int64_t end,
                                                  const float* direction, float inverse) {
        Best best;
        for (std::int64_t g = begin; g < end; ++g) {
            const float* const values = packed_.data() + g * group * dim_;
            __m512 sums[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                              _mm512_setzero_ps()};
            for (std::int64_t k = 0; k < dim_; ++k) {
                const __m512 m = _mm512_set1_ps(direction[k]);
                for (int v = 0; v < 4; ++v) {
                    _mm_prefetch(values + k * group + 16 * v + ahead, _MM_HINT_T0);
                    sums[v] =
                        _mm512_fmadd_ps(_mm512_load_ps(values + k * group + 16 * v), m, sums[v]);
                }
            }
            for (int v = 0; v < 4; ++v) {
                float* const own = variances_.data() + g * group + 16 * v;
                const __m512 taken_off =
                    _mm512_mul_ps(_mm512_mul_ps(sums[v], sums[v]), _mm512_set1_ps(inverse));
                const __m512 left = _mm512_sub_ps(_mm512_loadu_ps(own), taken_off);
                _mm512_storeu_ps(own, left);
                if (_mm512_reduce_max_ps(left) <= best.variance) continue;
                for (std::int64_t j = 0; j < 16; ++j) {
                    if (own[j] > best.variance) best = {own[j], g * group + 16 * v + j};
                }
            }
        }
        return best;
    }

    const float* rows_;
    std::int64_t num_rows_;
    std::int64_t dim_;
    int num_threads_;
    std::int64_t num_groups_ = 0;
    kernels::AlignedFloats packed_;
    std::vector<float> variances_;
    std::vector<float> matrix_;
};

}  // namespace sluice::bench
