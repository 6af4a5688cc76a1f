#include "select/diversity/falling_variances.hpp"

#include "kernels/aligned_floats.hpp"
#include "kernels/row_products.hpp"
#include "kernels/worker_pool.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace sluice::select {
namespace {

// Most rows and vectors of a tile of products.
constexpr std::size_t most_rows = 32;
constexpr std::size_t most_vectors = 8;
// Fewer rows are done before they have been sent to a device.
constexpr std::int64_t worth_sending = 64;

}  // namespace

FallingVariances::FallingVariances(kernels::MatrixView rows, std::vector<double> variances,
                                   int num_threads,
                                   std::unique_ptr<kernels::DeviceVariances> device)
    : rows_(rows),
      variances_(std::move(variances)),
      seen_(variances_.size(), 0),
      num_threads_(num_threads),
      device_(std::move(device)) {}

void FallingVariances::add_look(std::span<const double> direction, double variance) {
    directions_.insert(directions_.end(), direction.begin(), direction.end());
    look_variances_.push_back(variance);
}

void FallingVariances::set(std::int64_t local, double variance) {
    variances_[static_cast<std::size_t>(local)] = variance;
    seen_[static_cast<std::size_t>(local)] = num_looks();
}

// Rows that miss the same looks follow each other, those that miss the most first.
std::vector<std::int64_t> FallingVariances::sorted_by_seen(
    std::span<const std::int64_t> locals) const {
    std::vector<std::int64_t> sorted(locals.size());
    std::vector<std::size_t> begins(static_cast<std::size_t>(num_looks()) + 2, 0);
    for (const std::int64_t local : locals)
        ++begins[static_cast<std::size_t>(seen_[static_cast<std::size_t>(local)]) + 1];
    std::partial_sum(begins.begin(), begins.end(), begins.begin());
    for (const std::int64_t local : locals)
        sorted[begins[static_cast<std::size_t>(seen_[static_cast<std::size_t>(local)])]++] = local;
    return sorted;
}

void FallingVariances::refresh_on_device(std::span<const std::int64_t> sorted) {
    std::vector<std::int32_t> seen;
    std::vector<double> variances;
    for (const std::int64_t local : sorted) {
        seen.push_back(seen_[static_cast<std::size_t>(local)]);
        variances.push_back(of(local));
    }
    device_->refresh(sorted, seen, {directions_, look_variances_}, variances);
    for (std::size_t i = 0; i < sorted.size(); ++i)
        set(sorted[i], variances[i]);
}

void FallingVariances::refresh(std::span<const std::int64_t> locals) {
    const std::vector<std::int64_t> sorted = sorted_by_seen(locals);
    if (device_ != nullptr && std::ssize(sorted) >= worth_sending) return refresh_on_device(sorted);
    const std::int64_t rows_a_tile = kernels::products_tile().panels * kernels::products_panel;
    const std::int64_t rows_a_task = 8 * rows_a_tile;
    const std::int64_t count = std::ssize(sorted);
    const auto tile_at = [&](std::int64_t first) {
        return std::span(sorted).subspan(
            static_cast<std::size_t>(std::min(first, count)),
            static_cast<std::size_t>(std::clamp<std::int64_t>(count - first, 0, rows_a_tile)));
    };
    kernels::parallel_for(num_threads_, (count + rows_a_task - 1) / rows_a_task,
                          [&](std::int64_t task) {
                              const std::int64_t end = std::min(count, (task + 1) * rows_a_task);
                              for (std::int64_t i = task * rows_a_task; i < end; i += rows_a_tile)
                                  lower_tile(tile_at(i), tile_at(i + rows_a_tile));
                          });
}

// The rows of the next tile lie anywhere in memory.
void FallingVariances::fetch_early(std::span<const std::int64_t> locals) const {
    constexpr std::int64_t floats_a_line = 16;
    for (const std::int64_t local : locals) {
        for (std::int64_t k = 0; k < rows_.dim; k += floats_a_line)
            __builtin_prefetch(rows_.row(local) + k, 0, 2);
    }
}

// The looks that the first row misses; the others miss no more.
void FallingVariances::lower_tile(std::span<const std::int64_t> locals,
                                  std::span<const std::int64_t> next) {
    static thread_local kernels::AlignedFloats packed;
    const std::int64_t num_panels =
        (std::ssize(locals) + kernels::products_panel - 1) / kernels::products_panel;
    const std::int64_t width = num_panels * kernels::products_panel;
    float* const panels = packed.reserve(width * rows_.dim);
    kernels::pack_products(rows_, locals, panels);
    double variances[most_rows] = {};
    double seen[most_rows] = {};
    for (std::size_t j = 0; j < locals.size(); ++j) {
        variances[j] = variances_[static_cast<std::size_t>(locals[j])];
        seen[j] = seen_[static_cast<std::size_t>(locals[j])];
    }
    const std::int32_t at_once = kernels::products_tile().vectors;
    const std::int32_t first_look = seen_[static_cast<std::size_t>(locals.front())];
    const std::int32_t num_blocks = (num_looks() - first_look + at_once - 1) / at_once;
    const std::size_t fetched = next.size() / static_cast<std::size_t>(std::max(num_blocks, 1)) + 1;
    for (std::int32_t first = first_look; first < num_looks(); first += at_once) {
        const std::int32_t count = std::min(at_once, num_looks() - first);
        fetch_early(next.first(std::min(fetched, next.size())));
        next = next.subspan(std::min(fetched, next.size()));
        const double* directions[most_vectors];
        for (std::int32_t v = 0; v < count; ++v)
            directions[v] = directions_.data() + (first + v) * rows_.dim;
        double along[most_vectors * most_rows];
        kernels::row_products(panels, static_cast<int>(num_panels), rows_.dim,
                              std::span(directions).first(static_cast<std::size_t>(count)), along);
        for (std::int32_t v = 0; v < count; ++v) {
            kernels::take_off_squares(
                along + v * width, look_variances_[static_cast<std::size_t>(first + v)], seen,
                first + v, std::span(variances).first(static_cast<std::size_t>(width)));
        }
    }
    for (std::size_t j = 0; j < locals.size(); ++j)
        set(locals[j], variances[j]);
}

}  // namespace sluice::select
