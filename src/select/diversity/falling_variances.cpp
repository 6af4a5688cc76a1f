#include "select/diversity/falling_variances.hpp"

#include "kernels/aligned_floats.hpp"
#include "kernels/row_products.hpp"
#include "kernels/square_bounds.hpp"
#include "kernels/worker_pool.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace sluice::select {
namespace {

// Most rows and vectors of a tile of products.
constexpr std::size_t most_rows = 32;
constexpr std::size_t most_vectors = 8;

constexpr double infinity = std::numeric_limits<double>::infinity();

// Fetches the rows of the next tile, which lie anywhere in memory, a part for each of the blocks
// of looks of this one.
class EarlyRows {
  public:
    EarlyRows(kernels::MatrixView rows, std::span<const std::int64_t> locals,
              std::int32_t num_blocks)
        : rows_(rows),
          locals_(locals),
          part_(locals.size() / static_cast<std::size_t>(std::max(num_blocks, 1)) + 1) {}

    void fetch_part() {
        constexpr std::int64_t floats_a_line = 16;
        for (const std::int64_t local : locals_.first(std::min(part_, locals_.size()))) {
            for (std::int64_t k = 0; k < rows_.dim; k += floats_a_line)
                __builtin_prefetch(rows_.row(local) + k, 0, 2);
        }
        locals_ = locals_.subspan(std::min(part_, locals_.size()));
    }

  private:
    kernels::MatrixView rows_;
    std::span<const std::int64_t> locals_;
    std::size_t part_;
};

}  // namespace

FallingVariances::FallingVariances(kernels::MatrixView rows, const Looks& looks,
                                   std::vector<State> states, int num_threads)
    : rows_(rows), looks_(looks), states_(std::move(states)), num_threads_(num_threads) {}

FallingVariances::State FallingVariances::state_of(double variance, double squared_length,
                                                   std::int64_t dim) {
    // Beside the chains round the scaled directions, and in float64 what the bound is compared
    // with.
    constexpr std::int64_t roundings = 4;
    constexpr double rounded_up = 1.0 + 1e-6;
    State state{variance, variance};
    state.error = static_cast<float>(kernels::product_error(dim, roundings) *
                                     std::sqrt(squared_length) * rounded_up);
    return state;
}

bool FallingVariances::is_vague(std::int64_t local) const {
    constexpr double much = 0.01;
    return !(state(local).slack <= much * state(local).bound) && !is_exact(local);
}

void FallingVariances::set(std::int64_t local, double variance) {
    State& own = states_[static_cast<std::size_t>(local)];
    own = {variance, variance, 0.0, looks_.count(), looks_.count(), own.error};
}

// By sums of float32 squares. Each canonical part of the variance has at least the true square of
// its product but for two roundings in float64, and the sums here have one rounding in float32 for
// each part and three in each; where they overflow they say nothing. Each canonical difference may
// round up.
void FallingVariances::take_off(std::int64_t local, double least, double likely) {
    constexpr double unit = 0.5 * std::numeric_limits<float>::epsilon();
    constexpr double most = 1e30;
    State& own = states_[static_cast<std::size_t>(local)];
    const double missed = looks_.count() - own.bound_seen;
    const double certain = least < most ? least * std::max(0.0, 1.0 - (missed + 8.0) * unit) : 0.0;
    const double rounded_up =
        std::abs(own.bound) * (missed + 4.0) * std::numeric_limits<double>::epsilon();
    own.bound = std::min(own.bound, own.bound - certain + rounded_up);
    // Squares of products with shorter rows may be no float any more.
    constexpr float least_error = 1e-18F;
    own.slack += own.error >= least_error ? likely - certain : infinity;
    own.bound_seen = looks_.count();
}

// Rows that miss the same looks share tiles.
std::vector<std::int64_t> FallingVariances::sorted(std::span<const std::int64_t> locals,
                                                   std::int32_t State::*seen) const {
    std::vector<std::int64_t> result(locals.size());
    std::vector<std::size_t> begins(static_cast<std::size_t>(looks_.count()) + 2, 0);
    for (const std::int64_t local : locals)
        ++begins[static_cast<std::size_t>(state(local).*seen) + 1];
    std::partial_sum(begins.begin(), begins.end(), begins.begin());
    for (const std::int64_t local : locals)
        result[begins[static_cast<std::size_t>(state(local).*seen)]++] = local;
    return result;
}

// lower(rows of a tile, rows of the next one).
template <typename Lower>
void FallingVariances::by_tiles(std::span<const std::int64_t> sorted, std::int64_t rows_a_tile,
                                const Lower& lower) const {
    const std::int64_t rows_a_task = 8 * rows_a_tile;
    const std::int64_t count = std::ssize(sorted);
    const auto tile_at = [&](std::int64_t first) {
        return sorted.subspan(
            static_cast<std::size_t>(std::min(first, count)),
            static_cast<std::size_t>(std::clamp<std::int64_t>(count - first, 0, rows_a_tile)));
    };
    kernels::parallel_for(num_threads_, (count + rows_a_task - 1) / rows_a_task,
                          [&](std::int64_t task) {
                              const std::int64_t end = std::min(count, (task + 1) * rows_a_task);
                              for (std::int64_t i = task * rows_a_task; i < end; i += rows_a_tile)
                                  lower(tile_at(i), tile_at(i + rows_a_tile));
                          });
}

void FallingVariances::tighten(std::span<const std::int64_t> locals) {
    const auto lower = [&](auto tile, auto next) { lower_bounds(tile, next); };
    by_tiles(sorted(locals, &State::bound_seen),
             kernels::squares_tile().panels * kernels::squares_panel, lower);
}

void FallingVariances::refresh(std::span<const std::int64_t> locals) {
    const auto lower = [&](auto tile, auto next) { lower_values(tile, next); };
    by_tiles(sorted(locals, &State::seen),
             kernels::products_tile().panels * kernels::products_panel, lower);
}

// By the looks that the first row misses; the others miss no more.
void FallingVariances::lower_bounds(std::span<const std::int64_t> locals,
                                    std::span<const std::int64_t> next) {
    static thread_local kernels::AlignedFloats packed;
    const std::int64_t num_panels =
        (std::ssize(locals) + kernels::squares_panel - 1) / kernels::squares_panel;
    const std::int64_t width = num_panels * kernels::squares_panel;
    float* const panels = packed.reserve(width * rows_.dim);
    kernels::pack_squares(rows_, locals, panels);
    float errors[most_rows] = {};
    float seen[most_rows] = {};
    float least[most_rows] = {};
    float likely[most_rows] = {};
    for (std::size_t j = 0; j < locals.size(); ++j) {
        errors[j] = state(locals[j]).error;
        seen[j] = static_cast<float>(state(locals[j]).bound_seen);
    }
    const kernels::SquaresRows rows{
        panels, static_cast<int>(num_panels), rows_.dim, errors, seen, least, likely};
    const std::int32_t at_once = kernels::squares_tile().vectors;
    const std::int32_t first_look = state(locals.front()).bound_seen;
    const std::int32_t num_missed = looks_.count() - first_look;
    EarlyRows early(rows_, next, (num_missed + at_once - 1) / at_once);
    for (std::int32_t first = first_look; first < looks_.count(); first += at_once) {
        early.fetch_part();
        kernels::add_squares(rows, {looks_.scaled(first), looks_.lengths(first), first,
                                    std::min(at_once, looks_.count() - first)});
    }
    for (std::size_t j = 0; j < locals.size(); ++j)
        take_off(locals[j], double{least[j]}, double{likely[j]});
}

// By the looks that the first row misses; the others miss no more.
void FallingVariances::lower_values(std::span<const std::int64_t> locals,
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
        variances[j] = state(locals[j]).value;
        seen[j] = state(locals[j]).seen;
    }
    const std::int32_t at_once = kernels::products_tile().vectors;
    const std::int32_t first_look = state(locals.front()).seen;
    EarlyRows early(rows_, next, (looks_.count() - first_look + at_once - 1) / at_once);
    for (std::int32_t first = first_look; first < looks_.count(); first += at_once) {
        const std::int32_t count = std::min(at_once, looks_.count() - first);
        early.fetch_part();
        const double* directions[most_vectors];
        for (std::int32_t v = 0; v < count; ++v)
            directions[v] = looks_.direction(first + v);
        double along[most_vectors * most_rows];
        kernels::row_products(panels, static_cast<int>(num_panels), rows_.dim,
                              std::span(directions).first(static_cast<std::size_t>(count)), along);
        for (std::int32_t v = 0; v < count; ++v) {
            kernels::take_off_squares(along + v * width, looks_.variance(first + v), seen,
                                      first + v,
                                      std::span(variances).first(static_cast<std::size_t>(width)));
        }
    }
    for (std::size_t j = 0; j < locals.size(); ++j)
        set(locals[j], variances[j]);
}

}  // namespace sluice::select
