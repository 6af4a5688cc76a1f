#include "select/diversity/falling_variances.hpp"

#include "kernels/aligned_floats.hpp"
#include "kernels/row_products.hpp"
#include "kernels/worker_pool.hpp"

#include <algorithm>
#include <utility>

namespace sluice::select {
namespace {

// Most rows and vectors of a tile of products.
constexpr std::size_t most_rows = 32;
constexpr std::size_t most_vectors = 8;

}  // namespace

FallingVariances::FallingVariances(kernels::MatrixView rows, std::vector<double> variances,
                                   int num_threads)
    : rows_(rows),
      variances_(std::move(variances)),
      seen_(variances_.size(), 0),
      num_threads_(num_threads) {}

void FallingVariances::add_look(std::span<const double> direction, double variance) {
    directions_.insert(directions_.end(), direction.begin(), direction.end());
    look_variances_.push_back(variance);
}

void FallingVariances::set(std::int64_t local, double variance) {
    variances_[static_cast<std::size_t>(local)] = variance;
    seen_[static_cast<std::size_t>(local)] = num_looks();
}

// Rows that miss the same looks share tiles.
void FallingVariances::refresh(std::span<const std::int64_t> locals) {
    std::vector<std::pair<std::int32_t, std::int64_t>> order;
    order.reserve(locals.size());
    for (const std::int64_t local : locals)
        order.emplace_back(seen_[static_cast<std::size_t>(local)], local);
    std::sort(order.begin(), order.end());
    std::vector<std::int64_t> sorted(order.size());
    std::transform(order.begin(), order.end(), sorted.begin(),
                   [](const auto& entry) { return entry.second; });
    const std::int64_t rows_a_tile = kernels::products_tile().panels * kernels::products_panel;
    const std::int64_t rows_a_task = 4 * rows_a_tile;
    const std::int64_t count = std::ssize(sorted);
    kernels::parallel_for(num_threads_, (count + rows_a_task - 1) / rows_a_task,
                          [&](std::int64_t task) {
                              const std::int64_t end = std::min(count, (task + 1) * rows_a_task);
                              for (std::int64_t i = task * rows_a_task; i < end; i += rows_a_tile) {
                                  lower_tile(std::span(sorted).subspan(
                                      static_cast<std::size_t>(i),
                                      static_cast<std::size_t>(std::min(rows_a_tile, end - i))));
                              }
                          });
}

// The looks that the first row misses; the others miss no more.
void FallingVariances::lower_tile(std::span<const std::int64_t> locals) {
    static thread_local kernels::AlignedFloats packed;
    const std::int64_t num_panels =
        (std::ssize(locals) + kernels::products_panel - 1) / kernels::products_panel;
    const std::int64_t width = num_panels * kernels::products_panel;
    float* const panels = packed.reserve(width * rows_.dim);
    kernels::pack_products(rows_, locals, panels);
    double variances[most_rows];
    std::int32_t seen[most_rows] = {};
    for (std::size_t j = 0; j < locals.size(); ++j) {
        variances[j] = variances_[static_cast<std::size_t>(locals[j])];
        seen[j] = seen_[static_cast<std::size_t>(locals[j])];
    }
    const std::int32_t at_once = kernels::products_tile().vectors;
    for (std::int32_t first = seen[0]; first < num_looks(); first += at_once) {
        const std::int32_t count = std::min(at_once, num_looks() - first);
        const double* directions[most_vectors];
        for (std::int32_t v = 0; v < count; ++v)
            directions[v] = directions_.data() + (first + v) * rows_.dim;
        double along[most_vectors * most_rows];
        kernels::row_products(panels, static_cast<int>(num_panels), rows_.dim,
                              std::span(directions).first(static_cast<std::size_t>(count)), along);
        for (std::int32_t v = 0; v < count; ++v) {
            const double variance = look_variances_[static_cast<std::size_t>(first + v)];
            const double* const own = along + v * width;
            for (std::size_t j = 0; j < locals.size(); ++j) {
                const double taken_off = own[j] * own[j] / variance;
                variances[j] = first + v >= seen[j] ? variances[j] - taken_off : variances[j];
            }
        }
    }
    for (std::size_t j = 0; j < locals.size(); ++j)
        set(locals[j], variances[j]);
}

}  // namespace sluice::select
