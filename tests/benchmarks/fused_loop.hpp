#pragma once

#include "benchmarks/packed_groups.hpp"
#include "kernels/aligned_floats.hpp"
#include "kernels/worker_pool.hpp"
#include "select/k_center.hpp"

#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace sluice::bench {

/// The greedy with one pass over all rows for each pick, made as fast as memory allows: rows lie
/// transposed in groups of 64, so that 64 canonical distances grow side by side and memory is read
/// from front to back; distance, minimum and argmax take the same pass. Needs AVX-512.
class FusedLoop {
  public:
    FusedLoop(const float* rows, std::int64_t num_rows, std::int64_t dim, int num_threads)
        : rows_(rows),
          num_rows_(num_rows),
          dim_(dim),
          num_threads_(num_threads),
          num_parts_(16 * num_threads) {
        num_groups_ = pack_groups(rows, num_rows, dim, num_threads, packed_);
    }

    static bool available() { return __builtin_cpu_supports("avx512f") != 0; }

    /// The rows picked after `first`, num_picks of them.
    std::vector<select::KCenterPick> pick(RowId first, std::int64_t num_picks) {
        nearest_.assign(static_cast<std::size_t>(num_groups_ * group),
                        std::numeric_limits<float>::infinity());
        for (std::int64_t row = num_rows_; row < num_groups_ * group; ++row)
            take_out(row);
        std::vector<select::KCenterPick> picks;
        RowId center = first;
        for (std::int64_t pick = 0; pick < num_picks; ++pick) {
            take_out(center);
            const Candidate best = pass(rows_ + center * dim_);
            picks.push_back({best.row, best.score});
            center = best.row;
        }
        return picks;
    }

    /// Adds up everything once: what reading the same bytes costs.
    float read() const {
        std::vector<float> sums(static_cast<std::size_t>(num_parts_));
        kernels::parallel_for(num_threads_, num_parts_, [&](std::int64_t part) {
            sums[static_cast<std::size_t>(part)] = sum_of(groups_of(part));
        });
        float sum = 0.0F;
        for (const float one : sums)
            sum += one;
        return sum;
    }

    double gigabytes() const {
        return static_cast<double>(num_groups_ * group * dim_) * sizeof(float) * 1e-9;
    }

  private:
    static constexpr std::int64_t group = rows_of_group;
    static constexpr std::int64_t ahead = 1024;  // floats fetched before their turn

    // Below every distance, so that the row is never the farthest, and no minimum changes it.
    void take_out(RowId row) { nearest_[static_cast<std::size_t>(row)] = -1.0F; }

    RowRange groups_of(std::int64_t part) const {
        return {num_groups_ * part / num_parts_, num_groups_ * (part + 1) / num_parts_};
    }

    Candidate pass(const float* center) {
        std::vector<Candidate> bests(static_cast<std::size_t>(num_parts_));
        kernels::parallel_for(num_threads_, num_parts_, [&](std::int64_t part) {
            bests[static_cast<std::size_t>(part)] = relax_groups(groups_of(part), center);
        });
        return *std::min_element(bests.begin(), bests.end(), better);
    }

    __attribute__((target("avx512f"))) Candidate relax_groups(RowRange groups,
                                                              const float* center) {
        __m512 best = _mm512_set1_ps(-1.0F);
        __m512i best_group = _mm512_setzero_si512();
        for (RowId g = groups.begin; g < groups.end; ++g) {
            const float* const values = packed_.data() + g * group * dim_;
            __m512 sums[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                              _mm512_setzero_ps()};
            for (std::int64_t k = 0; k < dim_; ++k) {
                const __m512 c = _mm512_set1_ps(center[k]);
                for (int v = 0; v < 4; ++v) {
                    _mm_prefetch(values + k * group + 16 * v + ahead, _MM_HINT_T0);
                    const __m512 d = _mm512_sub_ps(_mm512_load_ps(values + k * group + 16 * v), c);
                    sums[v] = _mm512_fmadd_ps(d, d, sums[v]);
                }
            }
            for (int v = 0; v < 4; ++v) {
                float* const nearest = nearest_.data() + g * group + 16 * v;
                sums[v] = _mm512_min_ps(sums[v], _mm512_loadu_ps(nearest));
                _mm512_storeu_ps(nearest, sums[v]);
                const __mmask16 larger = _mm512_cmp_ps_mask(sums[v], best, _CMP_GT_OQ);
                best = _mm512_mask_mov_ps(best, larger, sums[v]);
                best_group = _mm512_mask_mov_epi32(best_group, larger,
                                                   _mm512_set1_epi32(static_cast<int>(4 * g + v)));
            }
        }
        alignas(64) float distances[16];
        alignas(64) std::int32_t places[16];
        _mm512_store_ps(distances, best);
        _mm512_store_si512(places, best_group);
        Candidate result{-1.0F, INT64_MAX};
        for (int j = 0; j < 16; ++j) {
            const Candidate one{distances[j], RowId{places[j]} * 16 + j};
            if (better(one, result)) result = one;
        }
        return result;
    }

    __attribute__((target("avx512f"))) float sum_of(RowRange groups) const {
        const float* const end = packed_.data() + groups.end * group * dim_;
        __m512 sums[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                          _mm512_setzero_ps()};
        for (const float* at = packed_.data() + groups.begin * group * dim_; at < end; at += 64) {
            for (int v = 0; v < 4; ++v) {
                _mm_prefetch(at + 16 * v + ahead, _MM_HINT_T0);
                sums[v] = _mm512_add_ps(sums[v], _mm512_load_ps(at + 16 * v));
            }
        }
        return _mm512_reduce_add_ps(sums[0] + sums[1] + sums[2] + sums[3]);
    }

    const float* rows_;
    std::int64_t num_rows_;
    std::int64_t dim_;
    int num_threads_;
    std::int64_t num_parts_;  // more than threads, so that none waits long for another
    std::int64_t num_groups_ = 0;
    kernels::AlignedFloats packed_;
    std::vector<float> nearest_;
};

}  // namespace sluice::bench
