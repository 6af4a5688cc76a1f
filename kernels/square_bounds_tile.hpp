#pragma once

// The body of the square_bounds_*.cpp files, each compiled for one instruction set. All of it has
// internal linkage and calls no library template: a function shared with other files could be
// taken by the linker from the file compiled for a newer processor.

#include "kernels/square_bounds_cpu.hpp"

namespace sluice::kernels {
namespace {

constexpr int panel_rows = 16;

// Above what products of numbers below the smallest normal ones lose, for rows of up to 2^24.
constexpr float least_error = 1e-37F;

template <typename Vector>
void add_square(const SquaresRows& rows, int at, const float* length, float number,
                typename Vector::Type product) {
    using Type = typename Vector::Type;
    const Type error = Vector::add(Vector::multiply(Vector::load(rows.errors + at),  //
                                                    Vector::broadcast(length)),
                                   Vector::broadcast(&least_error));
    const Type least = Vector::positive_part(Vector::subtract(Vector::absolute(product), error));
    const Type seen = Vector::load(rows.seen + at);
    const Type all_number = Vector::broadcast(&number);
    const auto add_to = [&](float* sums, Type value) {
        const Type square = Vector::multiply(value, value);
        Vector::store(sums, Vector::add_where(seen, all_number, Vector::load(sums), square));
    };
    add_to(rows.least + at, least);
    add_to(rows.likely + at, product);
}

// Asks for the elements of a chain, which are two lines.
void fetch_early(const SquaresVectors& vectors, std::int64_t begin) {
    for (int i = 0; i < vectors.num_early; ++i) {
        __builtin_prefetch(vectors.early[i] + begin, 0, 3);
        __builtin_prefetch(vectors.early[i] + begin + squares_chain / 2, 0, 3);
    }
}

// Adds the products of elements `begin` to `end` to the sums.
template <typename Vector, int num_vectors, int num_sums>
void add_chunk(const SquaresRows& rows, const float* const* vector, std::int64_t begin,
               std::int64_t end, typename Vector::Type (&sums)[num_vectors][num_sums]) {
    constexpr int parts = panel_rows / Vector::lanes;
    typename Vector::Type chain[num_vectors][num_sums];
    for (int v = 0; v < num_vectors; ++v) {
        for (int p = 0; p < num_sums; ++p)
            chain[v][p] = Vector::zero();
    }
    for (std::int64_t k = begin; k < end; ++k) {
        typename Vector::Type x[num_sums];
        for (int p = 0; p < num_sums; ++p) {
            x[p] = Vector::load(rows.panels + (p / parts * rows.dim + k) * panel_rows +
                                p % parts * Vector::lanes);
        }
        for (int v = 0; v < num_vectors; ++v) {
            const typename Vector::Type y = Vector::broadcast(vector[v] + k);
            for (int p = 0; p < num_sums; ++p)
                chain[v][p] = Vector::multiply_add(x[p], y, chain[v][p]);
        }
    }
    for (int v = 0; v < num_vectors; ++v) {
        for (int p = 0; p < num_sums; ++p)
            sums[v][p] = Vector::add(sums[v][p], chain[v][p]);
    }
}

template <typename Vector, int num_vectors, int num_panels>
void tile(const SquaresRows& rows, const SquaresVectors& vectors) {
    constexpr int num_sums = num_panels * panel_rows / Vector::lanes;
    typename Vector::Type sums[num_vectors][num_sums];
    const float* vector[num_vectors];
    for (int v = 0; v < num_vectors; ++v) {
        vector[v] = vectors.values + v * rows.dim;
        for (int p = 0; p < num_sums; ++p)
            sums[v][p] = Vector::zero();
    }
    for (std::int64_t k = 0; k < rows.dim; k += squares_chain) {
        const std::int64_t end = k + squares_chain < rows.dim ? k + squares_chain : rows.dim;
        fetch_early(vectors, k);
        add_chunk<Vector>(rows, vector, k, end, sums);
    }
    for (int v = 0; v < num_vectors; ++v) {
        for (int p = 0; p < num_sums; ++p) {
            add_square<Vector>(rows, p * Vector::lanes, vectors.lengths + v,
                               static_cast<float>(vectors.first + v), sums[v][p]);
        }
    }
}

template <typename Vector, int num_panels, int num_vectors>
void tile_of_vectors(const SquaresRows& rows, const SquaresVectors& vectors) {
    if constexpr (num_vectors > 1)
        if (vectors.count < num_vectors)
            return tile_of_vectors<Vector, num_panels, num_vectors - 1>(rows, vectors);
    tile<Vector, num_vectors, num_panels>(rows, vectors);
}

template <typename Vector, int num_panels>
void tile_of_panels(const SquaresRows& rows, const SquaresVectors& vectors) {
    if constexpr (num_panels > 1)
        if (rows.num_panels < num_panels)
            return tile_of_panels<Vector, num_panels - 1>(rows, vectors);
    tile_of_vectors<Vector, num_panels, Vector::max_vectors>(rows, vectors);
}

template <typename Vector>
void any_tile(const SquaresRows& rows, const SquaresVectors& vectors) {
    tile_of_panels<Vector, Vector::max_panels>(rows, vectors);
}

template <typename Vector>
void pack_panel(const float* const* rows, std::int64_t dim, float* panel) {
    std::int64_t k = 0;
    for (; k + 8 <= dim; k += 8)
        Vector::transpose(rows, k, panel + k * panel_rows);
    for (; k < dim; ++k) {
        for (int j = 0; j < panel_rows; ++j)
            panel[k * panel_rows + j] = rows[j][k];
    }
}

template <typename Vector>
constexpr SquareInstructions instructions_of() {
    return {Vector::max_panels, Vector::max_vectors, &pack_panel<Vector>, &any_tile<Vector>};
}

}  // namespace
}  // namespace sluice::kernels
