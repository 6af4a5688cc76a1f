#include "select/diversity/coverage.hpp"

#include "kernels/similarity_rows.hpp"
#include "kernels/worker_pool.hpp"
#include "select/diversity/centers.hpp"

#include <algorithm>
#include <utility>

namespace sluice::select {
namespace {

constexpr std::int64_t kept_bytes = std::int64_t{512} << 20;

std::int64_t bytes_to_keep(std::int64_t own_rows, std::int64_t all_rows) {
    return own_rows * all_rows * static_cast<std::int64_t>(sizeof(float));
}

bool comes_later(const Gain& left, const Gain& right) {
    return beats(right, left);
}

}  // namespace

Coverage::Coverage(const ShortlistShare& share, const DiversityOptions& options, AllRows all,
                   const Similarity& similarity, comm::Communicator& world)
    : share_(share),
      options_(options),
      world_(world),
      all_(std::move(all)),
      similarity_(similarity),
      rows_(all_, similarity),
      covered_(all_.rows.size(), 0.0F),
      fresh_(share.rows.size(), 0),
      scratch_(all_.rows.size()) {
    // Similarities fall with the distance: the nearest centre is the most similar one.
    if (share.num_centers == 0) return;
    ShortlistShare whole = share;
    whole.rows = all_.rows;
    whole.features = all_.view();
    const std::vector<float> nearest = nearest_centers(whole, options);
    for (std::size_t i = 0; i < nearest.size(); ++i)
        covered_[i] = similarity_.of(nearest[i]);
}

std::span<float> Coverage::kept_row(std::int64_t local) {
    const std::int64_t width = all_.size();
    return {kept_.get() + local * width, static_cast<std::size_t>(width)};
}

double Coverage::gain(std::int64_t local, std::span<const double> weights,
                      std::span<float> scratch) {
    if (kept_ != nullptr) return kernels::uncovered_sum(kept_row(local), covered_, weights);
    rows_.fill(share_.features.row(local), scratch);
    return kernels::uncovered_sum(scratch, covered_, weights);
}

void Coverage::cover_by(std::span<const float> similarities) {
    for (std::size_t i = 0; i < similarities.size(); ++i)
        covered_[i] = std::max(covered_[i], similarities[i]);
}

// The gains of all own candidates, before the first pick.
void Coverage::look_at_all(std::span<const double> weights) {
    const std::int64_t own = std::ssize(share_.rows);
    const std::int64_t width = all_.size();
    // Not filled with zeros: the threads that fill it touch it first.
    if (bytes_to_keep(own, width) <= kept_bytes)
        kept_ = std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(own * width));
    bounds_.resize(share_.rows.size());
    constexpr std::int64_t rows_a_task = 32;
    kernels::parallel_for(
        options_.num_threads, (own + rows_a_task - 1) / rows_a_task, [&](std::int64_t task) {
            const std::int64_t first = task * rows_a_task;
            const std::int64_t count = std::min(rows_a_task, own - first);
            std::vector<float> scratch(kept_ == nullptr ? static_cast<std::size_t>(count * width)
                                                        : 0);
            float* const similar = kept_ == nullptr ? scratch.data() : kept_row(first).data();
            rows_.fill_rows({share_.features.row(first), count, share_.features.dim},
                            {similar, static_cast<std::size_t>(count * width)});
            for (std::int64_t i = 0; i < count; ++i) {
                const auto local = static_cast<std::size_t>(first + i);
                const std::span<const float> of_row(similar + i * width, covered_.size());
                bounds_[local] = {kernels::uncovered_sum(of_row, covered_, weights),
                                  share_.rows[local]};
            }
        });
    std::make_heap(bounds_.begin(), bounds_.end(), comes_later);
}

// The own candidate of the largest gain; brings those up to date whose bounds are larger, some at a
// time.
Gain Coverage::best_candidate(std::span<const double> weights) {
    constexpr std::size_t at_once = 16;
    Gain best;
    std::vector<Gain> looked_at;
    std::vector<Gain> stale;
    const auto pop = [&] {
        std::pop_heap(bounds_.begin(), bounds_.end(), comes_later);
        const Gain top = bounds_.back();
        bounds_.pop_back();
        return top;
    };
    while (!bounds_.empty() && beats(bounds_.front(), best)) {
        for (stale.clear();
             stale.size() < at_once && !bounds_.empty() && beats(bounds_.front(), best);) {
            const Gain top = pop();
            if (fresh_[static_cast<std::size_t>(find_row(share_, top.row))] != num_picked_) {
                stale.push_back(top);
            } else {
                looked_at.push_back(top);
                best = top;  // above all that are left
            }
        }
        refresh(stale, weights);
        for (const Gain& one : stale) {
            looked_at.push_back(one);
            if (beats(one, best)) best = one;
        }
    }
    for (const Gain& one : looked_at) {
        bounds_.push_back(one);
        std::push_heap(bounds_.begin(), bounds_.end(), comes_later);
    }
    return best;
}

void Coverage::refresh(std::span<Gain> stale, std::span<const double> weights) {
    kernels::parallel_for(options_.num_threads, std::ssize(stale), [&](std::int64_t i) {
        Gain& one = stale[static_cast<std::size_t>(i)];
        const std::int64_t local = find_row(share_, one.row);
        std::vector<float> scratch(kept_ == nullptr ? covered_.size() : 0);
        one.gain = gain(local, weights, scratch);
        fresh_[static_cast<std::size_t>(local)] = num_picked_;
    });
    num_refreshed_ += std::ssize(stale);
}

DiverseBatch Coverage::pick(std::span<const double> weights) {
    DiverseBatch batch;
    look_at_all(weights);
    const std::int64_t num_picks = std::clamp<std::int64_t>(options_.num_picks, 0, all_.size());
    while (num_picked_ < num_picks) {
        leave_if_stopped(world_);
        const Gain winner = best_of_ranks(best_candidate(weights), world_);
        if (!bounds_.empty() && bounds_.front().row == winner.row) {
            std::pop_heap(bounds_.begin(), bounds_.end(), comes_later);
            bounds_.pop_back();
        }
        rows_.fill(all_.view().row(all_.find(winner.row)), scratch_);
        cover_by(scratch_);
        ++num_picked_;
        batch.picks.push_back({winner.row, static_cast<float>(winner.gain)});
        if (options_.progress != nullptr) options_.progress->advance(1);
    }
    batch.rounds = num_picks + 1;
    batch.rows_refreshed = num_refreshed_;
    return batch;
}

DiversityForecast Coverage::forecast(const DiversitySizes& sizes) {
    const std::int64_t kept = bytes_to_keep(sizes.share_rows, sizes.shortlist_rows);
    DiversityForecast forecast;
    forecast.memory_bytes = all_rows_memory(sizes) + sizes.shortlist_rows * (sizes.dim * 4 + 64) +
                            (kept <= kept_bytes ? kept : 0);
    forecast.rounds = sizes.num_picks + 1;
    forecast.bytes_received = sizes.shortlist_rows * (sizes.dim * 4 + 12) + sizes.num_picks * 32;
    return forecast;
}

}  // namespace sluice::select
