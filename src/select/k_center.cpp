#include "select/k_center.hpp"

#include "select/diversity/row_greedy.hpp"
#include "select/panel_greedy.hpp"
#include "select/refresh_best.hpp"
#include "select/stale_rows.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>
#include <string>

namespace sluice::select {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
// Distances between this many centres take 64 MiB.
constexpr std::int64_t max_mapped_centers = 4096;
// Two rounds in a row with fewer picks make the panel of the later ones so many times larger.
constexpr std::int64_t few_picks = 80;
constexpr std::int64_t panel_growth = 2;
// Towards the end a smaller panel is enough, and fewer rows have to be refreshed for it.
constexpr std::int64_t panel_rows_a_pick = 8;
constexpr std::int64_t least_panel = 128;

// The stale-best rows of all ranks, replicated: everything the greedy among them needs.
class Panel {
  public:
    Panel(std::int64_t max_rows, std::int64_t dim) : dim_(dim) {
        gathered_.reserve(static_cast<std::size_t>(max_rows * dim));
        mine_.reserve(static_cast<std::size_t>(max_rows * dim));
    }

    // Collects the ranks' rows `locals`. \collective
    void gather(const StaleRows& rows, std::span<const std::int64_t> locals,
                comm::Communicator& world) {
        std::vector<Candidate> keys;
        mine_.clear();
        for (const std::int64_t local : locals) {
            keys.push_back({rows.distance(local), rows.row(local)});
            const float* const features = rows.source().features.row(local);
            mine_.insert(mine_.end(), features, features + dim_);
        }
        keys = world.all_gather(std::span<const Candidate>(keys));
        gathered_.resize(keys.size() * static_cast<std::size_t>(dim_));
        world.all_gather_into(std::as_bytes(std::span<const float>(mine_)),
                              std::as_writable_bytes(std::span<float>(gathered_)));
        sort_by_row(keys);
    }

    StaleRows as_stale_rows(std::int64_t max_picks, int num_threads) {
        const auto num_rows = static_cast<std::int64_t>(rows_.size());
        return StaleRows({rows_,
                          {gathered_.data(), num_rows, dim_},
                          nearest_,
                          kernels::Backend::cpu,
                          num_threads},
                         std::min(max_picks, num_rows), 0);
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
    std::vector<float> mine_;
    std::vector<float> gathered_;
    std::vector<RowId> rows_;
    std::vector<float> nearest_;
};

class KCenter {
  public:
    // `num_rows` rows of all ranks together.
    KCenter(KCenterShare share, const KCenterOptions& options, std::int64_t num_rows,
            comm::Communicator& world)
        : options_(options),
          num_picks_(std::clamp<std::int64_t>(options.num_picks, 0, num_rows)),
          world_(world),
          rows_({share.rows, share.features, share.nearest, options.backend, options.num_threads},
                num_picks_, max_mapped_centers),
          panel_rows_(options.panel_rows),
          panel_(std::min(options.panel_rows * panel_growth, num_rows), share.features.dim) {}

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
    std::int64_t panel_rows_;
    int rounds_with_few_ = 0;
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
    const std::int64_t num_left = num_picks_ - static_cast<std::int64_t>(result_.picks.size());
    const std::int64_t panel_rows =
        std::min(panel_rows_, std::max(least_panel, panel_rows_a_pick * num_left));
    const std::vector<std::int64_t> mine = refresh_best(rows_, panel_rows, no_candidate, world_);
    const Candidate my_best = rows_.best_outside(mine);
    Candidate outside = no_candidate;
    for (const Candidate& best : world_.all_gather(std::span<const Candidate>(&my_best, 1))) {
        if (better(best, outside)) outside = best;
    }
    panel_.gather(rows_, mine, world_);
    StaleRows panel = panel_.as_stale_rows(num_left, options_.num_threads);
    const std::vector<PanelPick> picks = panel_greedy(panel, outside, num_left, options_.backend);
    require(!picks.empty(), ExitCode::internal, "k_center: a round without a pick");
    adopt(panel, picks, mine);
    ++result_.rounds;
    const bool few = static_cast<std::int64_t>(picks.size()) < few_picks;
    rounds_with_few_ = few ? rounds_with_few_ + 1 : 0;
    if (rounds_with_few_ == 2) panel_rows_ = options_.panel_rows * panel_growth;
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
        StaleRows::State state = panel.state(position);
        state.num_seen += num_before;
        state.center = state.center < 0 ? rows_.state(local).center
                                        : state.center + static_cast<std::int32_t>(num_before);
        rows_.update(local, state);
        if (panel.is_out(position)) rows_.take_out(local);
    }
}

KCenterResult KCenter::finish() {
    const std::vector<std::int64_t> mine = refresh_best(rows_, 1, no_candidate, world_);
    float distance = 0.0F;
    for (const std::int64_t local : mine)
        distance = rows_.distance(local);
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
    const std::int64_t num_rows = world.sum(static_cast<std::int64_t>(share.rows.size()));
    std::unique_ptr<KCenter> greedy;
    world.agree([&] { greedy = std::make_unique<KCenter>(share, options, num_rows, world); });
    greedy->pick_first();
    while (!greedy->done()) {
        leave_if_stopped(world);
        greedy->pick_round(progress);
    }
    return greedy->finish();
}

KCenterEstimate estimate_k_center(std::int64_t shortlist_rows, std::int64_t dim,
                                  const KCenterOptions& options) {
    // Measured for B=1000 picks of N=200k rows of D=256 on five kinds of data (independent normal,
    // 512 skewed clusters, 16 dimensions in 256, clusters on a sphere, a surface in 256): 4, 10, 5,
    // 10 and 21 rounds, with up to 6 passes of the selection in each.
    constexpr std::int64_t picks_per_round = 40;
    constexpr std::int64_t histogram_bytes = 6 * 9 * (std::int64_t{16} << 10);
    const std::int64_t panel = std::min(options.panel_rows * panel_growth, shortlist_rows);
    const std::int64_t picks = std::min(options.num_picks, shortlist_rows);
    const std::int64_t mapped = std::min(picks, max_mapped_centers);
    const std::int64_t row_bytes = dim * static_cast<std::int64_t>(sizeof(float));
    const auto key_bytes = static_cast<std::int64_t>(sizeof(Candidate));
    KCenterEstimate estimate;
    estimate.rounds = (picks + picks_per_round - 1) / picks_per_round;
    estimate.bytes_received_per_rank =
        estimate.rounds * (panel * (row_bytes + key_bytes) + histogram_bytes);
    // Panel: own part, all, sorted copy. Centres: list, the panel's list, packed for the map.
    estimate.memory_bytes = 3 * panel * row_bytes + 3 * picks * row_bytes +
                            mapped * mapped * static_cast<std::int64_t>(sizeof(float)) +
                            shortlist_rows * 9 + (std::int64_t{8} << 20);
    return estimate;
}

}  // namespace sluice::select
