#pragma once

#include "select/diversity/centers.hpp"
#include "select/diversity/greedy_rounds.hpp"
#include "select/stale_rows.hpp"

#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace sluice::select {

/// An objective for GreedyRounds: gain(number, distance) of a row's own number and its distance to
/// the nearest centre or pick, a function that never falls where the distance rises.
template <typename GainOf>
class DistanceGains {
  public:
    struct State {
        double number = 0.0;
        float nearest = 0.0F;  // squared
    };

    /// `numbers` [rows]. \collective
    DistanceGains(const ShortlistShare& share, const DiversityOptions& options,
                  std::vector<double> numbers, GainOf gain)
        : share_(share),
          options_(options),
          numbers_(std::move(numbers)),
          gain_(std::move(gain)),
          nearest_(nearest_centers(share, options)),
          rows_({share.rows, share.features, nearest_, options.backend, options.num_threads},
                options.num_picks, max_mapped_centers) {}

    double gain(std::int64_t local) const { return gain_of(state(local)); }
    bool is_fresh(std::int64_t local) const {
        return rows_.state(local).num_seen == rows_.num_centers();
    }
    void refresh(std::span<const std::int64_t> locals) { rows_.refresh(locals); }
    State state(std::int64_t local) const {
        return {numbers_[static_cast<std::size_t>(local)], rows_.distance(local)};
    }
    void set_state(std::int64_t local, const State& state) {
        // Which centre is the nearest is known as long as none came nearer.
        const StaleRows::State before = rows_.state(local);
        const std::int32_t center = state.nearest < before.distance ? -1 : before.center;
        rows_.update(local, {state.nearest, center, rows_.num_centers()});
    }
    std::int64_t width() const { return share_.features.dim; }
    void tell(std::int64_t local, float* to) const {
        std::copy_n(share_.features.row(local), width(), to);
    }

    class Panel {
      public:
        Panel(DistanceGains& gains, std::span<const float> told, std::span<const State> states)
            : gains_(gains),
              told_(told),
              places_(states.size()),
              packed_({told.data(), std::ssize(states), gains.width()}, numbers_to(places_)) {
            for (const State& state : states) {
                numbers_.push_back(state.number);
                nearest_.push_back(state.nearest);
            }
        }

        double gain(std::int64_t i) const { return gains_.gain_of(state(i)); }
        float value(std::int64_t i) const {
            return distance_of(state(i).nearest, gains_.options_.metric);
        }
        State state(std::int64_t i) const {
            const auto at = static_cast<std::size_t>(i);
            return {numbers_[at], nearest_[at]};
        }
        void take(std::int64_t i) {
            const float* const features = told_.data() + i * gains_.width();
            gains_.rows_.add_center(features);
            packed_.relax(features, {nearest_, {}, 0});
        }

      private:
        static std::span<const std::int64_t> numbers_to(std::vector<std::int64_t>& places) {
            std::iota(places.begin(), places.end(), std::int64_t{0});
            return places;
        }

        DistanceGains& gains_;
        std::span<const float> told_;
        std::vector<std::int64_t> places_;
        kernels::PackedRows packed_;
        std::vector<double> numbers_;
        std::vector<float> nearest_;
    };

  private:
    // Distances between this many centres take 64 MiB.
    static constexpr std::int64_t max_mapped_centers = 4096;

    double gain_of(const State& state) const {
        return gain_(state.number,
                     static_cast<double>(distance_of(state.nearest, options_.metric)));
    }

    const ShortlistShare& share_;
    const DiversityOptions& options_;
    std::vector<double> numbers_;
    GainOf gain_;
    std::vector<float> nearest_;
    StaleRows rows_;
};

/// Picks by such gains; the best scored row comes first without any centre. \collective
template <typename GainOf>
DiverseBatch pick_by_distance(const ShortlistShare& share, const DiversityOptions& options,
                              std::vector<double> numbers, GainOf gain, comm::Communicator& world) {
    DiversityOptions possible = options;
    possible.num_picks =
        std::clamp<std::int64_t>(options.num_picks, 0, world.sum(std::ssize(share.rows)));
    DistanceGains<GainOf> gains(share, possible, std::move(numbers), std::move(gain));
    GreedyRounds rounds(share, possible, gains, world);
    if (share.num_centers == 0) {
        const std::vector<std::uint8_t> none(share.rows.size(), 0);
        rounds.pick_first(best_free(
            share.rows, none, [&](std::size_t i) { return static_cast<double>(share.scores[i]); }));
    }
    return rounds.pick();
}

}  // namespace sluice::select
