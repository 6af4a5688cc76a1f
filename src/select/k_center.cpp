#include "select/k_center.hpp"

#include "select/panel_greedy.hpp"
#include "select/stale_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

namespace sluice::select {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

// The stale-best rows of all ranks, replicated: everything the greedy among them needs.
class Panel {
  public:
    Panel(std::int64_t max_rows, std::int64_t dim, std::int64_t max_centers)
        : dim_(dim), max_centers_(max_centers) {
        gathered_.reserve(static_cast<std::size_t>(max_rows * dim));
        mine_.reserve(static_cast<std::size_t>(max_rows * dim));
    }

    // Collects the ranks' rows `locals`. \collective
    void gather(const StaleRows& rows, std::span<const std::int64_t> locals,
                comm::Communicator& world) {
        std::vector<Candidate> keys;
        mine_.clear();
        for (const std::int64_t local : locals) {
            keys.push_back({rows.nearest(local), rows.row(local)});
            const float* const features = rows.source().features.row(local);
            mine_.insert(mine_.end(), features, features + dim_);
        }
        keys = world.all_gather(std::span<const Candidate>(keys));
        gathered_.resize(keys.size() * static_cast<std::size_t>(dim_));
        world.all_gather_into(std::as_bytes(std::span<const float>(mine_)),
                              std::as_writable_bytes(std::span<float>(gathered_)));
        sort_by_row(keys);
    }

    StaleRows as_stale_rows(const KCenterOptions& options) {
        return StaleRows({rows_,
                          {gathered_.data(), static_cast<std::int64_t>(rows_.size()), dim_},
                          nearest_,
                          kernels::Backend::cpu,
                          options.num_threads},
                         max_centers_);
    }

  private:
    // Shares may interleave; the greedy wants ascending rows.
    void sort_by_row(const std::vector<Candidate>& keys) {
        std::vector<std::size_t> order(keys.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        const auto by_row = [&](std::size_t left, std::size_t right) {
            return keys[left].row < keys[right].row;
        };
        if (!std::is_sorted(order.begin(), order.end(), by_row)) {
            std::sort(order.begin(), order.end(), by_row);
            std::vector<float> sorted;
            sorted.reserve(gathered_.size());
            for (const std::size_t i : order) {
                const auto begin = gathered_.begin() + static_cast<std::int64_t>(i) * dim_;
                sorted.insert(sorted.end(), begin, begin + dim_);
            }
            gathered_ = std::move(sorted);
        }
        rows_.clear();
        nearest_.clear();
        for (const std::size_t i : order) {
            rows_.push_back(keys[i].row);
            nearest_.push_back(keys[i].score);
        }
    }

    std::int64_t dim_;
    std::int64_t max_centers_;
    std::vector<float> mine_;
    std::vector<float> gathered_;
    std::vector<RowId> rows_;
    std::vector<float> nearest_;
};

class KCenter {
  public:
    KCenter(KCenterShare share, const KCenterOptions& options, std::int64_t num_picks,
            comm::Communicator& world)
        : options_(options),
          num_picks_(num_picks),
          world_(world),
          rows_({share.rows, share.features, share.nearest, options.backend, options.num_threads},
                num_picks),
          panel_(options.panel_rows, share.features.dim, num_picks) {}

    void pick_first();
    void pick_round(Progress* progress);
    bool done() const { return static_cast<std::int64_t>(result_.picks.size()) == num_picks_; }
    KCenterResult finish();

  private:
    void adopt(const StaleRows& panel, std::span<const PanelPick> picks,
               std::span<const std::int64_t> mine);

    KCenterOptions options_;
    std::int64_t num_picks_;
    comm::Communicator& world_;
    StaleRows rows_;
    Panel panel_;
    KCenterResult result_;
};

// Without a centre all rows are at +inf; the caller may say which of them comes first.
void KCenter::pick_first() {
    if (options_.first_pick < 0 || done()) return;
    std::int64_t has_center = 0;
    for (const float distance : rows_.source().nearest)
        has_center |= distance < infinity ? 1 : 0;
    if (world_.max(has_center) != 0) return;
    const std::int64_t local = rows_.find(options_.first_pick);
    const bool is_mine = local < rows_.size() && rows_.row(local) == options_.first_pick;
    const float* const features = rows_.source().features.row(local);
    const std::vector<float> center = world_.all_gather(std::span<const float>(
        features, is_mine ? static_cast<std::size_t>(rows_.source().features.dim) : 0));
    require(!center.empty(), ExitCode::internal,
            "k_center: the first pick is not in the shortlist (row " +
                std::to_string(options_.first_pick) + ")");
    rows_.add_center(center.data());
    if (is_mine) rows_.take_out(local);
    result_.picks.push_back({options_.first_pick, infinity});
}

void KCenter::pick_round(Progress* progress) {
    const auto num_picked = static_cast<std::int64_t>(result_.picks.size());
    const std::vector<std::int64_t> mine =
        refresh_best(rows_, options_.panel_rows, no_candidate, world_);
    const Candidate my_best = rows_.best_outside(mine);
    Candidate outside = no_candidate;
    for (const Candidate& best : world_.all_gather(std::span<const Candidate>(&my_best, 1))) {
        if (better(best, outside)) outside = best;
    }
    panel_.gather(rows_, mine, world_);
    StaleRows panel = panel_.as_stale_rows(options_);
    const std::vector<PanelPick> picks = panel_greedy(panel, outside, num_picks_ - num_picked);
    require(!picks.empty(), ExitCode::internal, "k_center: a round without a pick");
    adopt(panel, picks, mine);
    ++result_.rounds;
    if (progress != nullptr) progress->advance(static_cast<std::int64_t>(picks.size()));
}

// Takes over what the greedy found out about the panel's rows.
void KCenter::adopt(const StaleRows& panel, std::span<const PanelPick> picks,
                    std::span<const std::int64_t> mine) {
    const std::int64_t num_before = rows_.num_centers();
    for (const PanelPick& pick : picks) {
        rows_.add_center(panel.source().features.row(pick.local));
        result_.picks.push_back({panel.row(pick.local), pick.squared_distance});
    }
    for (const std::int64_t local : mine) {
        const std::int64_t position = panel.find(rows_.row(local));
        rows_.update(local, panel.nearest(position), num_before + panel.num_seen(position));
        if (panel.is_out(position)) rows_.take_out(local);
    }
}

KCenterResult KCenter::finish() {
    const std::vector<std::int64_t> mine = refresh_best(rows_, 1, no_candidate, world_);
    float distance = 0.0F;
    for (const std::int64_t local : mine)
        distance = rows_.nearest(local);
    for (const float of_rank : world_.all_gather(std::span<const float>(&distance, 1))) {
        result_.squared_radius = std::max(result_.squared_radius, of_rank);
    }
    result_.rows_refreshed = rows_.rows_refreshed();
    return std::move(result_);
}

}  // namespace

KCenterResult k_center(KCenterShare share, const KCenterOptions& options, comm::Communicator& world,
                       Progress* progress) {
    require(options.panel_rows > 0, ExitCode::internal, "k_center: panel_rows must be positive");
    const std::int64_t total = world.sum(static_cast<std::int64_t>(share.rows.size()));
    const std::int64_t num_picks = std::clamp<std::int64_t>(options.num_picks, 0, total);
    std::unique_ptr<KCenter> greedy;
    world.agree([&] { greedy = std::make_unique<KCenter>(share, options, num_picks, world); });
    greedy->pick_first();
    while (!greedy->done())
        greedy->pick_round(progress);
    return greedy->finish();
}

KCenterEstimate estimate_k_center(std::int64_t shortlist_rows, std::int64_t dim,
                                  const KCenterOptions& options) {
    // Measured at N=200k, D=256, B=1000: 43 to 250 picks a round; 40 is the lower end.
    constexpr std::int64_t picks_per_round = 40;
    const std::int64_t panel = std::min(options.panel_rows, shortlist_rows);
    const std::int64_t picks = std::min(options.num_picks, shortlist_rows);
    const std::int64_t row_bytes = dim * static_cast<std::int64_t>(sizeof(float));
    KCenterEstimate estimate;
    estimate.rounds = (picks + picks_per_round - 1) / picks_per_round;
    estimate.bytes_received_per_rank = estimate.rounds * panel * row_bytes;
    estimate.memory_bytes = 2 * panel * row_bytes + 2 * picks * row_bytes + 5 * shortlist_rows;
    return estimate;
}

}  // namespace sluice::select
