#pragma once

// The body of the row_products_*.cpp files, each compiled for one instruction set. All of it has
// internal linkage and calls no library template: a function shared with other files could be
// taken by the linker from the file compiled for a newer processor.

#include "kernels/row_products_cpu.hpp"

namespace sluice::kernels {
namespace {

constexpr int panel_rows = 8;

template <typename Vector, int num_vectors, int num_panels>
void tile(const float* panels, std::int64_t dim, const double* const* vectors, double* products) {
    constexpr int parts = panel_rows / Vector::lanes;
    typename Vector::Type sums[num_vectors][num_panels * parts];
    const double* vector[num_vectors];
    for (int v = 0; v < num_vectors; ++v) {
        vector[v] = vectors[v];
        for (int p = 0; p < num_panels * parts; ++p)
            sums[v][p] = Vector::zero();
    }
    for (std::int64_t k = 0; k < dim; ++k) {
        typename Vector::Type x[num_panels * parts];
        for (int p = 0; p < num_panels * parts; ++p) {
            x[p] = Vector::widen(panels + (p / parts * dim + k) * panel_rows +
                                 p % parts * Vector::lanes);
        }
        for (int v = 0; v < num_vectors; ++v) {
            const typename Vector::Type y = Vector::broadcast(vector[v] + k);
            for (int p = 0; p < num_panels * parts; ++p)
                sums[v][p] = Vector::add(sums[v][p], Vector::multiply(x[p], y));
        }
    }
    for (int v = 0; v < num_vectors; ++v) {
        for (int p = 0; p < num_panels * parts; ++p)
            Vector::store(products + (v * num_panels * parts + p) * Vector::lanes, sums[v][p]);
    }
}

template <typename Vector, int num_panels, int num_vectors>
void tile_of_vectors(const float* panels, std::int64_t dim, const double* const* vectors, int count,
                     double* products) {
    if constexpr (num_vectors > 1)
        if (count < num_vectors)
            return tile_of_vectors<Vector, num_panels, num_vectors - 1>(panels, dim, vectors, count,
                                                                        products);
    tile<Vector, num_vectors, num_panels>(panels, dim, vectors, products);
}

template <typename Vector, int num_panels>
void tile_of_panels(const float* panels, int count, std::int64_t dim, const double* const* vectors,
                    int num_vectors, double* products) {
    if constexpr (num_panels > 1)
        if (count < num_panels)
            return tile_of_panels<Vector, num_panels - 1>(panels, count, dim, vectors, num_vectors,
                                                          products);
    tile_of_vectors<Vector, num_panels, Vector::max_vectors>(panels, dim, vectors, num_vectors,
                                                             products);
}

template <typename Vector>
void any_tile(const float* panels, int num_panels, std::int64_t dim, const double* const* vectors,
              int num_vectors, double* products) {
    tile_of_panels<Vector, Vector::max_panels>(panels, num_panels, dim, vectors, num_vectors,
                                               products);
}

template <typename Vector>
void pack_panel(const float* const* rows, std::int64_t dim, float* panel) {
    std::int64_t k = 0;
    for (; k + panel_rows <= dim; k += panel_rows)
        Vector::transpose(rows, k, panel + k * panel_rows);
    for (; k < dim; ++k) {
        for (int j = 0; j < panel_rows; ++j)
            panel[k * panel_rows + j] = rows[j][k];
    }
}

template <typename Vector>
void take_off(const double* products, double divisor, const double* seen, double number,
              std::int64_t count, double* values) {
    const typename Vector::Type all_divisor = Vector::broadcast(&divisor);
    const typename Vector::Type all_number = Vector::broadcast(&number);
    for (std::int64_t j = 0; j < count; j += Vector::lanes) {
        const typename Vector::Type product = Vector::load(products + j);
        const typename Vector::Type part =
            Vector::divide(Vector::multiply(product, product), all_divisor);
        Vector::store(values + j, Vector::subtract_where(Vector::load(seen + j), all_number,
                                                         Vector::load(values + j), part));
    }
}

template <typename Vector>
constexpr ProductInstructions instructions_of() {
    return {Vector::max_panels, Vector::max_vectors, &pack_panel<Vector>, &any_tile<Vector>,
            &take_off<Vector>};
}

}  // namespace
}  // namespace sluice::kernels
