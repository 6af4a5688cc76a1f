#include "core/text.hpp"
#include "select/diversity/centers.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/rules.hpp"
#include "select/k_center.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace sluice::select {
namespace {

constexpr double step = 0.1;  // epsilon

// A batch on trial: f = mean score + strength x least distance.
struct Trial {
    std::vector<DiversePick> picks;
    double value = -std::numeric_limits<double>::infinity();
};

// The best-scored rows that keep a distance from centres and each other.
class SpreadOut {
  public:
    SpreadOut(NearestState& state, double least) : state_(state), least_(least) {}

    Gain best(std::int64_t) const {
        return best_free(state_.share().rows, blocked(), [&](std::size_t i) {
            return static_cast<double>(state_.share().scores[i]);
        });
    }

  private:
    std::vector<std::uint8_t> blocked() const {
        std::vector<std::uint8_t> result(state_.taken().begin(), state_.taken().end());
        for (std::size_t i = 0; i < result.size(); ++i) {
            if (std::sqrt(static_cast<double>(state_.nearest()[i])) < least_) result[i] = 1;
        }
        return result;
    }

    NearestState& state_;
    double least_;
};

// Maximises f(S) = mean score of S + strength x least distance in S and to centres, over batches S
// of B rows. r is what the farthest-first traversal leaves its last pick at; no batch keeps a
// distance d* of more than 2 r (Gonzalez). Tried are the traversal itself, the B best by score, and
// for d = r, r / (1 + e), ... the best-scored rows at least d apart. While d <= d*/2 each row
// picked there keeps one row of the best batch S* away at most, and scores no less than it: so B
// rows are found, their scores are S*'s at least, and with the largest such d their distance is
// d* / (2 + 2 e) at least. If d* < e r, the first two have f >= f(S*) / (1 + e).
// Distances are lengths, for the cosine of the difference of unit vectors: the argument needs the
// triangle inequality.
// \source Fahrbach, Ramalingam, Zadimoghaddam, Ahmadian, Citovsky, DeSalvo, "GIST: Greedy
//         Independent Set Thresholding for Max-Min Diversification with Submodular Utility", 2024,
//         which searches over the diameter and batches of at most B rows.
class Gist {
  public:
    Gist(const ShortlistShare& share, const DiversityOptions& options, comm::Communicator& world)
        : share_(share),
          options_(options),
          world_(world),
          state_(share, options),
          start_(state_.nearest().begin(), state_.nearest().end()),
          strength_(value_or(options.parameters.strength, 1.0)) {
        const std::int64_t num_rows = world.sum(static_cast<std::int64_t>(share.rows.size()));
        num_picks_ = std::clamp<std::int64_t>(options.num_picks, 0, num_rows);
    }

    DiverseBatch run() {
        if (num_picks_ == 0) return {};
        offer(traversal());
        const double radius = static_cast<double>(best_.picks.back().value);
        offer(spread_out(0.0));
        if (std::isfinite(radius) && radius > 0.0) {
            const double last = 0.5 * step * radius / (1.0 + step);
            for (double least = radius; least >= last; least /= 1.0 + step)
                offer(spread_out(least));
        }
        DiverseBatch batch;
        batch.picks = best_.picks;
        batch.rounds = rounds_;
        batch.note = fmt::format(
            "gist: mean score + {} x least distance = {:.6g}, at least {} of the best possible",
            strength_, best_.value, 0.45);
        return batch;
    }

  private:
    void offer(Trial trial) {
        if (trial.value > best_.value) best_ = std::move(trial);
    }

    Trial traversal() {
        std::vector<float> nearest = start_;
        KCenterOptions wanted;
        wanted.num_picks = num_picks_;
        wanted.first_pick = share_.num_centers > 0 ? -1 : best_scored(share_, world_);
        wanted.num_threads = options_.num_threads;
        const KCenterResult result =
            k_center({share_.rows, share_.features, nearest}, wanted, world_, options_.progress);
        rounds_ += result.rounds;
        Trial trial;
        for (const KCenterPick& pick : result.picks)
            trial.picks.push_back({pick.row, std::sqrt(pick.squared_distance)});
        judge(trial);
        return trial;
    }

    // Without a value if there are no B rows so far apart.
    Trial spread_out(double least) {
        leave_if_stopped(world_);
        state_.restart(start_);
        const SpreadOut objective(state_, least);
        Trial trial;
        while (static_cast<std::int64_t>(trial.picks.size()) < num_picks_) {
            const Gain winner = best_of_ranks(objective.best(0), world_);
            ++rounds_;
            if (winner.row < 0) return {};
            const std::int64_t local = find_row(share_, winner.row);
            std::vector<float> said;
            if (local >= 0) {
                said = state_.say(local);
                said.push_back(std::sqrt(state_.nearest()[static_cast<std::size_t>(local)]));
            }
            said = world_.all_gather(std::span<const float>(said));
            trial.picks.push_back({winner.row, said.back()});
            state_.take(local, std::span<const float>(said).first(said.size() - 1));
        }
        judge(trial);
        return trial;
    }

    // Every pick's value is its distance to all before it, so the least of them is that of the
    // batch. The scores add up in the order of picks.
    void judge(Trial& trial) const {
        std::vector<Candidate> mine;
        double least = std::numeric_limits<double>::infinity();
        for (const DiversePick& pick : trial.picks) {
            const std::int64_t local = find_row(share_, pick.row);
            if (local >= 0)
                mine.push_back({share_.scores[static_cast<std::size_t>(local)], pick.row});
            least = std::min(least, static_cast<double>(pick.value));
        }
        std::vector<Candidate> all = world_.all_gather(std::span<const Candidate>(mine));
        std::sort(all.begin(), all.end(), better);
        double sum = 0.0;
        for (const Candidate& candidate : all)
            sum += static_cast<double>(candidate.score);
        const double mean = sum / static_cast<double>(num_picks_);
        trial.value = mean + (std::isfinite(least) ? strength_ * least : 0.0);
    }

    const ShortlistShare& share_;
    const DiversityOptions& options_;
    comm::Communicator& world_;
    NearestState state_;
    std::vector<float> start_;  // squared distances to the centres
    double strength_;
    std::int64_t num_picks_ = 0;
    std::int64_t rounds_ = 0;
    Trial best_;
};

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    static_cast<void>(score_weights(share, 1.0, "gist", world));  // the guarantee needs scores >= 0
    return Gist(share, options, world).run();
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    constexpr std::int64_t trials = 35;  // of steps of a tenth from r to r / 20
    DiversityForecast forecast = forecast_by_rows(sizes, sizes.dim + 1);
    KCenterOptions options;
    options.num_picks = sizes.num_picks;
    const KCenterEstimate first = estimate_k_center(sizes.shortlist_rows, sizes.dim, options);
    forecast.memory_bytes += first.memory_bytes;
    forecast.rounds *= trials;
    forecast.bytes_received *= trials;
    return forecast;
}

}  // namespace

DiversityDefinition gist_rule() {
    DiversityDefinition rule;
    rule.name = "gist";
    rule.aliases = {"max_min_diversification"};
    rule.summary =
        "mean score + strength x least distance (usually 1), by greedy independent sets at falling "
        "thresholds: at least 0.45 of the best possible batch";
    rule.value = "length of the difference to the nearest centre when picked";
    rule.needs_features = true;
    rule.parameters = "strength";
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
