#pragma once

// The body of the nearest_center_cpu_*.cpp files, each compiled for one instruction set. All of it
// has internal linkage and calls no library template: a function shared with other files could be
// taken by the linker from the file compiled for a newer processor.

#include "kernels/nearest_center_cpu.hpp"

#include <cstdint>

namespace sluice::kernels {
namespace {

// How many elements pass between two looks at the limits: rare enough to cost under 2 %.
constexpr std::int64_t elements_between_looks = 64;

template <typename Vector, int num_singles, int num_panels>
unsigned tile(const float* const* singles, const float* panels, std::int64_t dim,
              const float* limits, float* distances) {
    typename Vector::Type sums[num_singles][num_panels];
    const float* single[num_singles];
    for (int s = 0; s < num_singles; ++s) {
        single[s] = singles[s];
        for (int p = 0; p < num_panels; ++p)
            sums[s][p] = Vector::zero();
    }
    unsigned below = 0;
    for (std::int64_t begin = 0; begin < dim; begin += elements_between_looks) {
        const std::int64_t end =
            begin + elements_between_looks < dim ? begin + elements_between_looks : dim;
        for (std::int64_t k = begin; k < end; ++k) {
            typename Vector::Type lane[num_panels];
            for (int p = 0; p < num_panels; ++p) {
                lane[p] = Vector::load(panels + (p * dim + k) * Vector::lanes);
            }
            for (int s = 0; s < num_singles; ++s) {
                const typename Vector::Type x = Vector::broadcast(single[s] + k);
                for (int p = 0; p < num_panels; ++p) {
                    const typename Vector::Type difference = Vector::subtract(lane[p], x);
                    sums[s][p] = Vector::multiply_add(difference, difference, sums[s][p]);
                }
            }
        }
        below = 0;
        for (int s = 0; s < num_singles; ++s) {
            // Starting from the limit, and second, `least` survives a sum that is not a number.
            typename Vector::Type least = Vector::broadcast(limits + s);
            for (int p = 0; p < num_panels; ++p)
                least = Vector::minimum(sums[s][p], least);
            if (Vector::any_below(least, limits[s])) below |= 1U << s;
        }
        if (below == 0) return 0;
    }
    for (int s = 0; s < num_singles; ++s) {
        for (int p = 0; p < num_panels; ++p) {
            Vector::store(distances + (s * num_panels + p) * Vector::lanes, sums[s][p]);
        }
    }
    return below;
}

template <typename Vector, int num_panels, int num_singles>
unsigned tile_of_singles(const float* const* singles, int count, const float* panels,
                         std::int64_t dim, const float* limits, float* distances) {
    if constexpr (num_singles > 1) {
        if (count < num_singles) {
            return tile_of_singles<Vector, num_panels, num_singles - 1>(singles, count, panels, dim,
                                                                        limits, distances);
        }
    }
    return tile<Vector, num_singles, num_panels>(singles, panels, dim, limits, distances);
}

template <typename Vector, int num_panels>
unsigned tile_of_panels(const float* const* singles, int num_singles, const float* panels,
                        int count, std::int64_t dim, const float* limits, float* distances) {
    if constexpr (num_panels > 1) {
        if (count < num_panels) {
            return tile_of_panels<Vector, num_panels - 1>(singles, num_singles, panels, count, dim,
                                                          limits, distances);
        }
    }
    return tile_of_singles<Vector, num_panels, Vector::max_singles>(singles, num_singles, panels,
                                                                    dim, limits, distances);
}

template <typename Vector>
unsigned any_tile(const float* const* singles, int num_singles, const float* panels, int num_panels,
                  std::int64_t dim, const float* limits, float* distances) {
    return tile_of_panels<Vector, Vector::max_panels>(singles, num_singles, panels, num_panels, dim,
                                                      limits, distances);
}

template <typename Vector>
void pack_panel(const float* const* vectors, int count, std::int64_t dim, float* panel) {
    const float* source[Vector::lanes];
    for (int j = 0; j < Vector::lanes; ++j)
        source[j] = vectors[j < count ? j : count - 1];
    std::int64_t k = 0;
    for (; k + Vector::lanes <= dim; k += Vector::lanes) {
        Vector::transpose(source, k, panel + k * Vector::lanes);
    }
    for (; k < dim; ++k) {
        for (int j = 0; j < Vector::lanes; ++j)
            panel[k * Vector::lanes + j] = source[j][k];
    }
}

template <typename Vector>
float pair_distance(const float* x, const float* y, std::int64_t dim) {
    float sum = 0.0F;
    for (std::int64_t k = 0; k < dim; ++k) {
        const float difference = x[k] - y[k];
        sum = __builtin_fmaf(difference, difference, sum);
    }
    return sum;
}

template <typename Vector>
constexpr NearestCenterTiles tiles_of() {
    return {Vector::lanes,       Vector::max_singles, Vector::max_panels,
            &pack_panel<Vector>, &any_tile<Vector>,   &pair_distance<Vector>};
}

}  // namespace
}  // namespace sluice::kernels
