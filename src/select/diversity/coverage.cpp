#include "select/diversity/coverage.hpp"

#include "kernels/worker_pool.hpp"
#include "select/diversity/centers.hpp"

#include <algorithm>

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

Coverage::Coverage(const ShortlistShare& share, const DiversityOptions& options,
                   const Similarity& similarity, comm::Communicator& world)
    : share_(share),
      options_(options),
      world_(world),
      all_(gather_all_rows(share, world)),
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

std::span<const float> Coverage::similarities(std::int64_t local, std::span<float> scratch) const {
    if (!kept_.empty()) {
        return std::span(kept_).subspan(static_cast<std::size_t>(local) * all_.rows.size(),
                                        all_.rows.size());
    }
    rows_.fill(share_.features.row(local), scratch);
    return scratch;
}

double Coverage::gain(std::int64_t local, std::span<const double> weights,
                      std::span<float> scratch) const {
    const std::span<const float> similar = similarities(local, scratch);
    double sums[4] = {};
    for (std::size_t i = 0; i < similar.size(); ++i) {
        const double more = static_cast<double>(similar[i]) - static_cast<double>(covered_[i]);
        sums[i % 4] += weights[i] * std::max(0.0, more);
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void Coverage::cover_by(std::span<const float> similarities) {
    for (std::size_t i = 0; i < similarities.size(); ++i)
        covered_[i] = std::max(covered_[i], similarities[i]);
}

// The gains of all own candidates, before the first pick.
void Coverage::look_at_all(std::span<const double> weights) {
    const auto own = static_cast<std::int64_t>(share_.rows.size());
    const std::size_t width = all_.rows.size();
    if (bytes_to_keep(own, all_.size()) <= kept_bytes) kept_.resize(fresh_.size() * width);
    bounds_.resize(fresh_.size());
    constexpr std::int64_t rows_a_task = 16;
    kernels::parallel_for(options_.num_threads, (own + rows_a_task - 1) / rows_a_task,
                          [&](std::int64_t task) {
                              std::vector<float> scratch(width);
                              for (std::int64_t i = task * rows_a_task;
                                   i < std::min(own, (task + 1) * rows_a_task); ++i) {
                                  const auto local = static_cast<std::size_t>(i);
                                  if (!kept_.empty()) {
                                      rows_.fill(share_.features.row(i),
                                                 std::span(kept_).subspan(local * width, width));
                                  }
                                  bounds_[local] = {gain(i, weights, scratch), share_.rows[local]};
                              }
                          });
    std::make_heap(bounds_.begin(), bounds_.end(), comes_later);
}

// The own candidate of the largest gain; brings those up to date whose bounds are larger.
Gain Coverage::best_candidate(std::span<const double> weights) {
    while (!bounds_.empty()) {
        const Gain top = bounds_.front();
        const std::int64_t local = find_row(share_, top.row);
        std::int64_t& fresh = fresh_[static_cast<std::size_t>(local)];
        if (fresh == num_picked_) return top;
        std::pop_heap(bounds_.begin(), bounds_.end(), comes_later);
        bounds_.back().gain = gain(local, weights, scratch_);
        std::push_heap(bounds_.begin(), bounds_.end(), comes_later);
        fresh = num_picked_;
        ++num_refreshed_;
    }
    return {};
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
