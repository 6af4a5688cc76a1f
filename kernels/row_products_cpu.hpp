#pragma once

#include <cstdint>

namespace sluice::kernels {

/// The inner loops of row_products, built once for each instruction set with the same results.
struct ProductInstructions {
    int max_panels;
    int max_vectors;
    /// panel[k * 8 + j] = rows[j][k].
    void (*pack)(const float* const* rows, std::int64_t dim, float* panel);
    /// products[(v * num_panels + p) * 8 + j], as row_products says.
    void (*products)(const float* panels, int num_panels, std::int64_t dim,
                     const double* const* vectors, int num_vectors, double* products);
    /// take_off_squares for a multiple of 8 rows.
    void (*take_off)(const double* products, double divisor, const double* seen, double number,
                     std::int64_t count, double* values);
};

extern const ProductInstructions products_baseline;
extern const ProductInstructions products_avx2;    ///< in builds for x86-64 only
extern const ProductInstructions products_avx512;  ///< likewise

}  // namespace sluice::kernels
