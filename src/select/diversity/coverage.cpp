#include "select/diversity/coverage.hpp"

#include "kernels/similarity_rows.hpp"
#include "kernels/worker_pool.hpp"
#include "select/diversity/centers.hpp"

#include <algorithm>
#include <utility>

namespace sluice::select {
namespace {

constexpr std::int64_t kept_bytes = std::int64_t{512} << 20;
constexpr std::int64_t rows_a_block = 32;

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
    return {kept_.data() + local * width, static_cast<std::size_t>(width)};
}

double Coverage::gain(std::int64_t local, std::span<const double> weights,
                      std::span<float> scratch) {
    if (!kept_.empty()) return kernels::uncovered_sum(kept_row(local), covered_, weights);
    rows_.fill(share_.features.row(local), scratch);
    return kernels::uncovered_sum(scratch, covered_, weights);
}

void Coverage::cover_by(std::span<const float> similarities) {
    for (std::size_t i = 0; i < similarities.size(); ++i)
        covered_[i] = std::max(covered_[i], similarities[i]);
}

// work(first, count) for blocks of rows.
template <typename Work>
void Coverage::by_blocks(std::int64_t num_rows, const Work& work) const {
    kernels::parallel_for(options_.num_threads, (num_rows + rows_a_block - 1) / rows_a_block,
                          [&](std::int64_t block) {
                              const std::int64_t first = block * rows_a_block;
                              work(first, std::min(rows_a_block, num_rows - first));
                          });
}

// Similarities of all own candidates that are kept.
void Coverage::keep_all() {
    const std::int64_t own = std::ssize(share_.rows);
    const std::int64_t width = all_.size();
    kept_ = kernels::LargeFloats(own * width);
    const bool is_square = own == width;  // this rank has all rows: s_ij = s_ji, to the bit
    by_blocks(own, [&](std::int64_t first, std::int64_t count) {
        rows_.fill_rows_from(is_square ? first : 0,
                             {share_.features.row(first), count, share_.features.dim},
                             kept_row(first).data());
    });
    if (!is_square) return;
    by_blocks(own, [&](std::int64_t first, std::int64_t count) {
        const float* const from = kept_.data() + first;
        float* const to = kept_row(first).data();
        for (std::int64_t begin = 0; begin < first; begin += rows_a_block) {
            for (std::int64_t i = 0; i < count; ++i) {
                for (std::int64_t j = begin; j < begin + rows_a_block; ++j)
                    to[i * width + j] = from[j * width + i];
            }
        }
    });
}

// The gains of all own candidates, before the first pick.
void Coverage::look_at_all(std::span<const double> weights) {
    const std::int64_t own = std::ssize(share_.rows);
    const std::int64_t width = all_.size();
    if (bytes_to_keep(own, width) <= kept_bytes) keep_all();
    bounds_.resize(share_.rows.size());
    by_blocks(own, [&](std::int64_t first, std::int64_t count) {
        std::vector<float> scratch(kept_.empty() ? static_cast<std::size_t>(count * width) : 0);
        const kernels::MatrixView rows{share_.features.row(first), count, share_.features.dim};
        if (kept_.empty()) rows_.fill_rows(rows, scratch);
        const float* const similar = kept_.empty() ? scratch.data() : kept_row(first).data();
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
        std::vector<float> scratch(kept_.empty() ? covered_.size() : 0);
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
        const std::int64_t local = find_row(share_, winner.row);
        if (!kept_.empty() && local >= 0) {
            cover_by(kept_row(local));
        } else {
            rows_.fill(all_.view().row(all_.find(winner.row)), scratch_);
            cover_by(scratch_);
        }
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
