#include "select/diversity/falling_variances.hpp"

#include "kernels/aligned_floats.hpp"
#include "kernels/row_products.hpp"
#include "kernels/square_bounds.hpp"
#include "kernels/worker_pool.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>
#include <utility>

namespace sluice::select {
namespace {

// Most rows and vectors of a tile of products.
constexpr std::size_t most_rows = 32;
constexpr std::size_t most_vectors = 8;
// Fewer rows are done before they have been sent to a device.
constexpr std::int64_t worth_sending = 64;

constexpr double infinity = std::numeric_limits<double>::infinity();

// The rows of the next tile, which lie anywhere in memory, a part for each of the blocks of looks
// of this one but the last.
class EarlyRows {
  public:
    EarlyRows(kernels::MatrixView rows, std::span<const std::int64_t> locals,
              std::int32_t num_blocks)
        : count_(locals.size()),
          part_(locals.size() / static_cast<std::size_t>(std::max(num_blocks - 1, 1)) + 1) {
        for (std::size_t i = 0; i < locals.size(); ++i)
            pointers_[i] = rows.row(locals[i]);
    }

    std::span<const float* const> next_part() {
        const std::size_t begin = std::exchange(done_, std::min(done_ + part_, count_));
        return std::span(pointers_).subspan(begin, done_ - begin);
    }

  private:
    const float* pointers_[most_rows];
    std::size_t count_;
    std::size_t part_;
    std::size_t done_ = 0;
};

void fetch(std::span<const float* const> rows, std::int64_t dim) {
    constexpr std::int64_t floats_a_line = 16;
    for (const float* const row : rows) {
        for (std::int64_t k = 0; k < dim; k += floats_a_line)
            __builtin_prefetch(row + k, 0, 3);
    }
}

// lower(rows of a tile, rows of the next one) for rows in this order.
template <typename Lower>
void by_tiles(std::span<const std::int64_t> sorted, std::int64_t rows_a_tile, int num_threads,
              const Lower& lower) {
    // The first tile of a task is fetched by nobody.
    constexpr std::int64_t most_tiles_a_task = 64;
    constexpr std::int64_t tasks_a_thread = 8;
    const std::int64_t count = std::ssize(sorted);
    const std::int64_t tiles_a_task = std::clamp<std::int64_t>(
        count / rows_a_tile / (tasks_a_thread * num_threads), 1, most_tiles_a_task);
    const std::int64_t rows_a_task = tiles_a_task * rows_a_tile;
    const auto tile_at = [&](std::int64_t first) {
        return sorted.subspan(
            static_cast<std::size_t>(std::min(first, count)),
            static_cast<std::size_t>(std::clamp<std::int64_t>(count - first, 0, rows_a_tile)));
    };
    const std::int64_t num_tasks = (count + rows_a_task - 1) / rows_a_task;
    kernels::parallel_for(num_threads, num_tasks, [&](std::int64_t task) {
        const std::int64_t end = std::min(count, (task + 1) * rows_a_task);
        for (std::int64_t i = task * rows_a_task; i < end; i += rows_a_tile)
            lower(tile_at(i), tile_at(i + rows_a_tile));
    });
}

}  // namespace

FallingVariances::FallingVariances(kernels::MatrixView rows, const Looks& looks,
                                   std::span<const State> states, int num_threads,
                                   std::unique_ptr<kernels::DeviceVariances> device)
    : rows_(rows),
      looks_(looks),
      num_threads_(num_threads),
      device_(std::move(device)),
      values_(states.size()),
      bounds_(states.size()),
      slacks_(states.size()),
      seen_(states.size()),
      bound_seen_(states.size()),
      errors_(states.size()) {
    for (std::size_t i = 0; i < states.size(); ++i)
        set_state(static_cast<std::int64_t>(i), states[i]);
}

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

FallingVariances::State FallingVariances::state(std::int64_t local) const {
    const auto i = static_cast<std::size_t>(local);
    return {values_[i], bounds_[i], slacks_[i], seen_[i], bound_seen_[i], errors_[i]};
}

void FallingVariances::set_state(std::int64_t local, const State& state) {
    const auto i = static_cast<std::size_t>(local);
    values_[i] = state.value;
    bounds_[i] = state.bound;
    slacks_[i] = state.slack;
    seen_[i] = state.seen;
    bound_seen_[i] = state.bound_seen;
    errors_[i] = state.error;
}

bool FallingVariances::is_vague(std::int64_t local) const {
    constexpr double much = 0.01;
    const auto i = static_cast<std::size_t>(local);
    return !(slacks_[i] <= much * bounds_[i]) && !is_exact(local);
}

void FallingVariances::set(std::int64_t local, double variance) {
    set_state(local, {variance, variance, 0.0, looks_.count(), looks_.count(),
                      errors_[static_cast<std::size_t>(local)]});
}

// By sums of float32 squares. Each canonical part of the variance has at least the true square of
// its product but for two roundings in float64, and the sums here have one rounding in float32 for
// each part and three in each; where they overflow they say nothing. Each canonical difference may
// round up.
void FallingVariances::take_off(std::int64_t local, double least, double likely) {
    constexpr double unit = 0.5 * std::numeric_limits<float>::epsilon();
    constexpr double most = 1e30;
    // Squares of products with shorter rows may be no float any more.
    constexpr float least_error = 1e-18F;
    const auto i = static_cast<std::size_t>(local);
    const double missed = looks_.count() - bound_seen_[i];
    const double certain = least < most ? least * std::max(0.0, 1.0 - (missed + 8.0) * unit) : 0.0;
    const double rounded_up =
        std::abs(bounds_[i]) * (missed + 4.0) * std::numeric_limits<double>::epsilon();
    bounds_[i] = std::min(bounds_[i], bounds_[i] - certain + rounded_up);
    slacks_[i] += errors_[i] >= least_error ? likely - certain : infinity;
    bound_seen_[i] = looks_.count();
}

// Rows that miss the same looks share tiles.
std::vector<std::int64_t> FallingVariances::sorted(std::span<const std::int64_t> locals,
                                                   const std::vector<std::int32_t>& seen) const {
    const auto looks_of = [&](std::int64_t local) {
        return static_cast<std::size_t>(seen[static_cast<std::size_t>(local)]);
    };
    std::vector<std::int64_t> result(locals.size());
    std::vector<std::size_t> begins(static_cast<std::size_t>(looks_.count()) + 2, 0);
    for (const std::int64_t local : locals)
        ++begins[looks_of(local) + 1];
    std::partial_sum(begins.begin(), begins.end(), begins.begin());
    for (const std::int64_t local : locals)
        result[begins[looks_of(local)]++] = local;
    return result;
}

bool FallingVariances::suit_device(std::span<const std::int64_t> locals) const {
    return device_ != nullptr && std::ssize(locals) >= worth_sending;
}

void FallingVariances::refresh_on_device(std::span<const std::int64_t> locals) {
    const std::vector<std::int64_t> picked = sorted(locals, seen_);
    std::vector<std::int32_t> seen;
    std::vector<double> variances;
    for (const std::int64_t local : picked) {
        seen.push_back(seen_[static_cast<std::size_t>(local)]);
        variances.push_back(value(local));
    }
    device_->refresh(picked, seen, looks_.view(), variances);
    for (std::size_t i = 0; i < picked.size(); ++i)
        set(picked[i], variances[i]);
}

std::vector<std::int64_t> FallingVariances::tighten(std::span<const std::int64_t> locals) {
    if (suit_device(locals)) {
        refresh_on_device(locals);
        return {};
    }
    std::mutex mutex;
    std::vector<std::int64_t> vague;
    const auto lower = [&](std::span<const std::int64_t> tile, std::span<const std::int64_t> next) {
        lower_bounds(tile, next);
        for (const std::int64_t local : tile) {
            if (!is_vague(local)) continue;
            const std::lock_guard lock(mutex);
            vague.push_back(local);
        }
    };
    by_tiles(sorted(locals, bound_seen_), kernels::squares_tile().panels * kernels::squares_panel,
             num_threads_, lower);
    std::sort(vague.begin(), vague.end());
    return vague;
}

void FallingVariances::refresh(std::span<const std::int64_t> locals) {
    if (suit_device(locals)) return refresh_on_device(locals);
    const auto lower = [&](auto tile, auto next) { lower_values(tile, next); };
    by_tiles(sorted(locals, seen_), kernels::products_tile().panels * kernels::products_panel,
             num_threads_, lower);
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
        const auto local = static_cast<std::size_t>(locals[j]);
        errors[j] = errors_[local];
        seen[j] = static_cast<float>(bound_seen_[local]);
    }
    const kernels::SquaresRows rows{
        panels, static_cast<int>(num_panels), rows_.dim, errors, seen, least, likely};
    const std::int32_t at_once = kernels::squares_tile().vectors;
    const std::int32_t first_look = bound_seen_[static_cast<std::size_t>(locals.front())];
    const std::int32_t num_missed = looks_.count() - first_look;
    EarlyRows early(rows_, next, (num_missed + at_once - 1) / at_once);
    for (std::int32_t first = first_look; first < looks_.count(); first += at_once) {
        const std::span<const float* const> part = early.next_part();
        kernels::add_squares(rows, {looks_.scaled(first), looks_.lengths(first), first,
                                    std::min(at_once, looks_.count() - first), part.data(),
                                    static_cast<int>(part.size())});
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
        const auto local = static_cast<std::size_t>(locals[j]);
        variances[j] = values_[local];
        seen[j] = seen_[local];
    }
    const std::int32_t at_once = kernels::products_tile().vectors;
    const std::int32_t first_look = seen_[static_cast<std::size_t>(locals.front())];
    EarlyRows early(rows_, next, (looks_.count() - first_look + at_once - 1) / at_once);
    for (std::int32_t first = first_look; first < looks_.count(); first += at_once) {
        const std::int32_t count = std::min(at_once, looks_.count() - first);
        fetch(early.next_part(), rows_.dim);
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
