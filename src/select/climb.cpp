#include "select/climb.hpp"

#include "core/error.hpp"
#include "core/partition.hpp"
#include "core/philox.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/task_threads.hpp"
#include "pool/sobol.hpp"
#include "select/climber.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace sluice::select {
namespace {

constexpr float nothing = -std::numeric_limits<float>::infinity();
constexpr std::int64_t num_rungs = Climber::num_rungs;

// Points that are scored together.
constexpr std::int64_t points_at_once = 4096;
constexpr std::int64_t most_climbs_at_once = 64;

// Part `index` of parts of `size` numbers.
template <typename Values>
auto part(Values& values, std::size_t index, std::int64_t size) {
    return std::span(values).subspan(index * static_cast<std::size_t>(size),
                                     static_cast<std::size_t>(size));
}

std::vector<float> joined(std::span<const float> first, std::span<const float> second) {
    std::vector<float> all(first.begin(), first.end());
    all.insert(all.end(), second.begin(), second.end());
    return all;
}

// A few climbs side by side on one thread, so that the model sees many points at a time.
class Party {
  public:
    Party(const ClimbPlan& plan, RowRange starts) : plan_(plan), dim_(plan.box->dim()) {
        for (std::int64_t start = starts.begin; start < starts.end; ++start)
            climbers_.emplace_back(*plan.box, climb_start(plan, start));
    }

    std::vector<float> score_starts() {
        points_.clear();
        for (const Climber& climber : climbers_)
            points_.insert(points_.end(), climber.at().begin(), climber.at().end());
        const std::vector<float> scores = scores_of(points_);
        for (std::size_t i = 0; i < climbers_.size(); ++i)
            climbers_[i].begin(scores[i]);
        return scores;
    }

    // One step of all that still climb; false if none does.
    bool step() {
        climbing_.clear();
        for (Climber& climber : climbers_) {
            if (!climber.ended() && climber.steps() < plan_.most_steps)
                climbing_.push_back(&climber);
        }
        if (climbing_.empty()) return false;
        const std::int64_t stencil = 2 * dim_;
        points_.resize(climbing_.size() * static_cast<std::size_t>(stencil * dim_));
        for (std::size_t c = 0; c < climbing_.size(); ++c)
            climbing_[c]->write_stencil(part(points_, c, stencil * dim_));
        const std::vector<float> stencil_scores = scores_of(points_);
        ladders_.resize(climbing_.size() * static_cast<std::size_t>(num_rungs * dim_));
        for (std::size_t c = 0; c < climbing_.size(); ++c) {
            climbing_[c]->write_ladder(part(points_, c, stencil * dim_),
                                       part(stencil_scores, c, stencil),
                                       part(ladders_, c, num_rungs * dim_));
        }
        const std::vector<float> ladder_scores = scores_of(ladders_);
        for (std::size_t c = 0; c < climbing_.size(); ++c) {
            // The ladder first: of equal scores the farther point leaves a plateau sooner.
            const auto points =
                joined(part(ladders_, c, num_rungs * dim_), part(points_, c, stencil * dim_));
            const auto scores =
                joined(part(ladder_scores, c, num_rungs), part(stencil_scores, c, stencil));
            climbing_[c]->step(points, scores);
        }
        return true;
    }

    const std::vector<Climber>& climbers() const { return climbers_; }

  private:
    std::vector<float> scores_of(const std::vector<float>& points) const {
        const auto count = static_cast<std::int64_t>(points.size()) / dim_;
        std::vector<float> scores(static_cast<std::size_t>(count));
        kernels::ScoreBlock block{
            points.data(), {0, count}, 1, dim_, kernels::ScoreInput::features};
        plan_.scorer->score(block, scores);
        for (float& score : scores) {
            if (!std::isfinite(score)) score = nothing;
        }
        return scores;
    }

    const ClimbPlan& plan_;
    std::int64_t dim_;
    std::vector<Climber> climbers_;
    std::vector<Climber*> climbing_;
    std::vector<float> points_;
    std::vector<float> ladders_;
};

// The climbs of one rank: workers draw parties of starts from a counter.
class Expedition {
  public:
    Expedition(const ClimbPlan& plan, RowRange starts)
        : plan_(plan),
          starts_(starts),
          dim_(plan.box->dim()),
          party_size_(std::clamp<std::int64_t>(points_at_once / (2 * dim_ + num_rungs), 1,
                                               most_climbs_at_once)),
          threads_(num_blocks(starts, party_size_)),
          progress_("climbing", starts.size(), "starts") {
        const auto count = static_cast<std::size_t>(starts.size());
        climbs_.ends.resize(count * static_cast<std::size_t>(dim_));
        climbs_.start_scores.resize(count);
        climbs_.end_scores.resize(count);
        climbs_.steps.resize(count);
    }

    Climbs run() {
        threads_.run(plan_.num_threads, [this] {
            while (const auto party = threads_.next())
                go(block_of_rows(starts_, party_size_, *party));
        });
        return std::move(climbs_);
    }

  private:
    void go(RowRange starts) {
        Party party(plan_, starts);
        const std::vector<float> start_scores = party.score_starts();
        do {
            require(
                !stop_requested(), ExitCode::try_again,
                stop_text() + " while climbing; nothing was written, run the same command again");
        } while (party.step());
        auto place = static_cast<std::size_t>(starts.begin - starts_.begin);
        for (std::size_t i = 0; i < party.climbers().size(); ++i, ++place) {
            const Climber& climber = party.climbers()[i];
            std::copy(climber.at().begin(), climber.at().end(),
                      climbs_.ends.begin() + static_cast<std::ptrdiff_t>(place) * dim_);
            climbs_.start_scores[place] = start_scores[i];
            climbs_.end_scores[place] = climber.score();
            climbs_.steps[place] = climber.steps();
        }
        progress_.advance(starts.size());
    }

    const ClimbPlan& plan_;
    RowRange starts_;
    std::int64_t dim_;
    std::int64_t party_size_;
    TaskThreads threads_;  // a task a party
    Climbs climbs_;        // parties write to places of their own
    Progress progress_;
};

std::vector<double> shares_of_start(const ClimbPlan& plan, std::int64_t start) {
    const std::int64_t dim = plan.box->dim();
    std::vector<double> shares(static_cast<std::size_t>(dim));
    const auto words = [&](std::uint64_t row, std::uint32_t index) {
        return random_words(plan.seed, RandomPurpose::synthesis_starts, plan.round, row, index);
    };
    if (dim <= pool::SobolPoints::max_dims) {
        const Philox4 key = words(0, 0);
        const std::uint64_t seed = std::uint64_t{key.word[0]} << 32 | key.word[1];
        pool::SobolPoints(dim, seed).fill({start, start + 1}, shares);
        return shares;
    }
    for (std::size_t i = 0; i < shares.size(); ++i) {
        const Philox4 drawn =
            words(static_cast<std::uint64_t>(start), static_cast<std::uint32_t>(i + 1));
        shares[i] = static_cast<double>(unit_float(drawn.word[0]));
    }
    return shares;
}

}  // namespace

std::vector<float> climb_start(const ClimbPlan& plan, std::int64_t start) {
    const std::vector<double> shares = shares_of_start(plan, start);
    std::vector<float> features;
    for (std::size_t i = 0; i < shares.size(); ++i)
        features.push_back(plan.box->feature_at(static_cast<std::int64_t>(i), shares[i]));
    return features;
}

Climbs climb(const ClimbPlan& plan, comm::Communicator& world) {
    Climbs mine;
    world.agree([&] {
        mine = Expedition(plan, part_of_rows(plan.num_starts, world.rank(), world.size())).run();
    });
    return {world.all_gather(std::span<const float>(mine.ends)),
            world.all_gather(std::span<const float>(mine.start_scores)),
            world.all_gather(std::span<const float>(mine.end_scores)),
            world.all_gather(std::span<const std::int32_t>(mine.steps))};
}

}  // namespace sluice::select
