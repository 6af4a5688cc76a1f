#include "select/diversity/centers.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/race_rounds.hpp"
#include "select/diversity/rules.hpp"

#include <algorithm>
#include <numeric>

namespace sluice::select {
namespace {

// Squared distances to the nearest centre or pick.
class NearestSpread : public Spread {
  public:
    NearestSpread(const ShortlistShare& share, const DiversityOptions& options)
        : share_(share), options_(options), nearest_(nearest_centers(share, options)) {}

    std::int64_t width() const override { return share_.features.dim; }
    void tell(std::int64_t local, float* to) const override {
        std::copy_n(share_.features.row(local), width(), to);
    }
    double of(std::int64_t local) const override {
        return nearest_[static_cast<std::size_t>(local)];
    }
    void add_pick(std::span<const float> told) override {
        pending_.insert(pending_.end(), told.begin(), told.end());
    }
    std::int64_t num_pending() const override { return std::ssize(pending_) / width(); }

    void refresh() override {
        if (!nearest_.empty())
            kernels::relax_nearest(options_.backend, share_.features, pending(), nearest_,
                                   options_.num_threads);
        pending_.clear();
    }

    void lower(std::span<const float> told, std::span<const std::int64_t> which, std::int64_t first,
               std::span<double> spreads) const override {
        const std::int64_t at_once = kernels::rows_at_a_time();
        std::vector<std::int32_t> chosen(static_cast<std::size_t>(num_pending() - first));
        std::iota(chosen.begin(), chosen.end(), static_cast<std::int32_t>(first));
        for (std::int64_t begin = 0; begin < std::ssize(which); begin += at_once) {
            const auto count = static_cast<std::size_t>(
                std::min<std::int64_t>(at_once, std::ssize(which) - begin));
            const auto at = static_cast<std::size_t>(begin);
            lower_tile(told, which.subspan(at, count), chosen, spreads.subspan(at, count));
        }
    }

    float value(double spread) const override {
        return distance_of(static_cast<float>(spread), options_.metric);
    }

  private:
    kernels::MatrixView pending() const { return {pending_.data(), num_pending(), width()}; }

    void lower_tile(std::span<const float> told, std::span<const std::int64_t> which,
                    std::span<const std::int32_t> chosen, std::span<double> spreads) const {
        std::vector<float> rows;
        for (const std::int64_t one : which) {
            const auto from = told.begin() + one * width();
            rows.insert(rows.end(), from, from + width());
        }
        std::vector<float> nearest(spreads.begin(), spreads.end());
        std::vector<std::int64_t> all(which.size());
        std::iota(all.begin(), all.end(), std::int64_t{0});
        kernels::relax_nearest_by({rows.data(), std::ssize(which), width()}, all, pending(), chosen,
                                  {nearest, {}, 0});
        std::copy(nearest.begin(), nearest.end(), spreads.begin());
    }

    const ShortlistShare& share_;
    const DiversityOptions& options_;
    std::vector<float> nearest_;  // [rows]
    std::vector<float> pending_;  // [pending, D]
};

// Picks a row with a probability in proportion to its squared distance to the nearest centre or
// pick (times its weight).
DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    const double strength = value_or(options.parameters.strength, 0.0);
    const std::vector<double> weights = score_weights(share, strength, "kmeanspp", world);
    NearestSpread spread(share, options);
    RaceRounds rounds(share, options, spread, weights, world);
    if (share.num_centers == 0) {
        const std::vector<std::uint8_t> none(share.rows.size(), 0);
        rounds.pick_first(Race{options.seed, options.round, 0}.winner(share.rows, none, weights));
    }
    return rounds.pick();
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    return RaceRounds::forecast(sizes, sizes.dim);
}

}  // namespace

DiversityDefinition kmeanspp_rule() {
    DiversityDefinition rule;
    rule.name = "kmeanspp";
    rule.aliases = {"kmeans++", "k_means_plus_plus", "d2", "d_squared"};
    rule.summary =
        "k-means++: each row drawn with a probability in proportion to its squared distance to the "
        "nearest centre (exactly), times score^strength (usually 0)";
    rule.value = "distance to the nearest centre when picked";
    rule.needs_features = true;
    rule.parameters = "strength";
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
