#include "core/error.hpp"
#include "select/diversity/leverages.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/packed_dots.hpp"
#include "select/diversity/rules.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::select {
namespace {

constexpr std::int64_t rows_kept_for_one = 2;  // of the rule that goes back as well

// BAIT for a linear model of the features: picks what makes tr(M F) least, F the information of the
// shortlist and the centres, M the covariance after the centres and the picks.
class Bait {
  public:
    using Value = float;

    Bait(const ShortlistShare& share, const DiversityOptions& options, double sigma,
         std::vector<double> information)
        : share_(share),
          options_(options),
          information_(std::move(information)),
          covariance_(looked_at_centers(share, sigma)),
          rows_(share.features, covariance_, information_, options.num_threads),
          taken_(share.rows.size(), 0) {}

    Gain best(std::int64_t) const {
        return best_free(share_.rows, taken_, [&](std::size_t i) {
            return rows_.b(i) / (covariance_.squared_sigma() + rows_.v(i));
        });
    }
    std::vector<float> say(std::int64_t local) const {
        const float* const row = share_.features.row(local);
        return {row, row + share_.features.dim};
    }
    void take(const Gain&, std::int64_t local, std::span<const float> said) {
        if (local >= 0) taken_[static_cast<std::size_t>(local)] = 1;
        picked_.insert(picked_.end(), said.begin(), said.end());
        rows_.update(look_at(widened(said), information_, covariance_));
    }
    float value(const Gain& pick) const { return static_cast<float>(pick.gain); }

    // Takes picks back, one by one that is missed least, until `num_left` are left; of equals the
    // later one goes. Every rank does.
    void prune(std::vector<DiversePick>& picks, std::int64_t num_left) {
        const kernels::MatrixView view{picked_.data(), std::ssize(picks), share_.features.dim};
        Leverages leverages(view, covariance_, information_, options_.num_threads);
        std::vector<std::uint8_t> gone(picks.size(), 0);
        for (auto left = std::ssize(picks); left > num_left; --left) {
            std::size_t least = picks.size();
            double least_loss = 0.0;
            for (std::size_t i = 0; i < picks.size(); ++i) {
                if (gone[i] != 0) continue;
                const double loss = leverages.b(i) / (covariance_.squared_sigma() - leverages.v(i));
                if (least < picks.size() && loss > least_loss) continue;
                least = i;
                least_loss = loss;
            }
            gone[least] = 1;
            const std::vector<double> x = widened(
                {view.row(static_cast<std::int64_t>(least)), static_cast<std::size_t>(view.dim)});
            leverages.update(forget(x, information_, covariance_));
        }
        std::size_t kept = 0;
        for (std::size_t i = 0; i < picks.size(); ++i)
            if (gone[i] == 0) picks[kept++] = picks[i];
        picks.resize(kept);
    }

  private:
    static Covariance looked_at_centers(const ShortlistShare& share, double sigma) {
        Covariance covariance(share.features.dim, sigma * sigma);
        look_at_centers(share, covariance);
        return covariance;
    }

    const ShortlistShare& share_;
    const DiversityOptions& options_;
    std::vector<double> information_;  // F
    Covariance covariance_;            // M
    Leverages rows_;
    std::vector<std::uint8_t> taken_;
    std::vector<float> picked_;  // [picks, D]
};

Bait begin(const ShortlistShare& share, const DiversityOptions& options,
           comm::Communicator& world) {
    const AllRows all = gather_all_rows(share, world);
    const double wanted = options.parameters.sigma;
    const double sigma = std::isnan(wanted) ? 0.1 * usual_length(all, share) : wanted;
    return {share, options, sigma, information_of(all, share, options.num_threads, world)};
}

DiverseBatch pick_forward(const ShortlistShare& share, const DiversityOptions& options,
                          comm::Communicator& world) {
    Bait objective = begin(share, options, world);
    return pick_by_rows(share, options, objective, world);
}

DiverseBatch pick_both_ways(const ShortlistShare& share, const DiversityOptions& options,
                            comm::Communicator& world) {
    Bait objective = begin(share, options, world);
    DiversityOptions twice = options;
    twice.num_picks = rows_kept_for_one * options.num_picks;
    DiverseBatch batch = pick_by_rows(share, twice, objective, world);
    const std::int64_t num_picks =
        std::min(options.num_picks, static_cast<std::int64_t>(batch.picks.size()));
    objective.prune(batch.picks, num_picks);
    return batch;
}

DiversityForecast forecast_forward(const DiversitySizes& sizes) {
    DiversityForecast forecast = forecast_by_rows(sizes, sizes.dim);
    constexpr auto real = static_cast<std::int64_t>(sizeof(double));
    const std::int64_t row = sizes.dim * static_cast<std::int64_t>(sizeof(float));
    const std::int64_t square = sizes.dim * sizes.dim * real;
    forecast.memory_bytes += all_rows_memory(sizes) + 4 * square +
                             sizes.share_rows * (row + 4 * real) + sizes.num_picks * row;
    forecast.bytes_received += sizes.shortlist_rows * (row + 12) + square;
    return forecast;
}

DiversityForecast forecast_both_ways(const DiversitySizes& sizes) {
    DiversitySizes twice = sizes;
    twice.num_picks = rows_kept_for_one * sizes.num_picks;
    DiversityForecast forecast = forecast_forward(twice);
    forecast.memory_bytes += twice.num_picks * sizes.dim * static_cast<std::int64_t>(sizeof(float));
    return forecast;
}

DiversityDefinition rule_of(const std::string& name, const std::string& how) {
    DiversityDefinition rule;
    rule.name = name;
    rule.summary =
        "BAIT: least tr(M F) of a linear model, F the information of shortlist and centres, M the "
        "covariance after centres and picks with noise sigma (usually a tenth of the centres' "
        "root mean square length; without centres the shortlist's); " +
        how;
    rule.value = "fall of tr(M F) when picked";
    rule.needs_features = true;
    rule.parameters = "sigma";
    return rule;
}

}  // namespace

/// \source Ash, Goel, Krishnamurthy and Kakade, "Gone Fishing: Neural Active Learning with Fisher
///         Embeddings", NeurIPS 2021, for the squared loss; sigma and F as in Holzmueller et al.,
///         JMLR 24(164), 2023, section 5.2 and appendix (BAIT-FB-P, features scaled on the labeled
///         rows, sigma 0.1).
DiversityDefinition bait_rule() {
    DiversityDefinition rule = rule_of("bait", "2 B rows forward, then B taken back");
    rule.aliases = {"bait_fb", "fisher"};
    rule.pick = pick_both_ways;
    rule.forecast = forecast_both_ways;
    return rule;
}

/// BAIT-F-P there.
DiversityDefinition bait_forward_rule() {
    DiversityDefinition rule = rule_of("bait_forward", "B rows forward and none back");
    rule.aliases = {"bait_f"};
    rule.pick = pick_forward;
    rule.forecast = forecast_forward;
    return rule;
}

}  // namespace sluice::select
