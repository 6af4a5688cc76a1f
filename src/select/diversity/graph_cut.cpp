#include "kernels/worker_pool.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/rules.hpp"
#include "select/diversity/similarity.hpp"

#include <algorithm>
#include <limits>

namespace sluice::select {
namespace {

// f(S) = strength x sum over rows i and picks j of s_ij - sum over pairs of picks of s_jj', each
// pair twice and each pick with itself, as submodlib has it. Own candidates' sums over all rows are
// one float64 chain (of four) in the order of rows, made once; a pick then takes 2 s from each
// gain.
class Cut {
  public:
    using Value = float;

    Cut(const ShortlistShare& share, const DiversityOptions& options, double strength,
        comm::Communicator& world)
        : share_(share),
          options_(options),
          taken_(share.rows.size(), 0),
          gains_(share.rows.size()) {
        const AllRows all = gather_all_rows(share, world);
        similarity_ = usual_similarity(all, options);
        const SimilarityRows rows(all, similarity_);
        constexpr std::int64_t rows_a_task = 32;
        const std::int64_t own = std::ssize(gains_);
        const std::size_t width = all.rows.size();
        kernels::parallel_for(
            options.num_threads, (own + rows_a_task - 1) / rows_a_task, [&](std::int64_t task) {
                const std::int64_t first = task * rows_a_task;
                const std::int64_t count = std::min(rows_a_task, own - first);
                std::vector<float> similar(static_cast<std::size_t>(count) * width);
                rows.fill_rows({share.features.row(first), count, share.features.dim}, similar);
                for (std::int64_t i = 0; i < count; ++i) {
                    const float* const of_row =
                        similar.data() + static_cast<std::size_t>(i) * width;
                    double sums[4] = {};
                    for (std::size_t j = 0; j < width; ++j)
                        sums[j % 4] += static_cast<double>(of_row[j]);
                    gains_[static_cast<std::size_t>(first + i)] =
                        strength * ((sums[0] + sums[1]) + (sums[2] + sums[3])) - 1.0;
                }
            });
    }

    Gain best(std::int64_t) const {
        return best_free(share_.rows, taken_, [&](std::size_t i) { return gains_[i]; });
    }
    std::vector<float> say(std::int64_t local) const {
        const float* const row = share_.features.row(local);
        return {row, row + share_.features.dim};
    }
    void take(const Gain&, std::int64_t local, std::span<const float> said) {
        if (local >= 0) taken_[static_cast<std::size_t>(local)] = 1;
        std::vector<float> squared(gains_.size(), std::numeric_limits<float>::infinity());
        kernels::relax_nearest(options_.backend, share_.features,
                               {said.data(), 1, share_.features.dim}, squared,
                               options_.num_threads);
        for (std::size_t i = 0; i < gains_.size(); ++i)
            gains_[i] -= 2.0 * static_cast<double>(similarity_.of(squared[i]));
    }
    float value(const Gain& pick) const { return static_cast<float>(pick.gain); }

  private:
    const ShortlistShare& share_;
    const DiversityOptions& options_;
    std::vector<std::uint8_t> taken_;
    std::vector<double> gains_;
    Similarity similarity_;
};

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    Cut objective(share, options, value_or(options.parameters.strength, 1.0), world);
    return pick_by_rows(share, options, objective, world);
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    DiversityForecast forecast = forecast_by_rows(sizes, sizes.dim);
    forecast.memory_bytes += all_rows_memory(sizes) + sizes.shortlist_rows * sizes.dim * 4;
    forecast.bytes_received += sizes.shortlist_rows * (sizes.dim * 4 + 12);
    return forecast;
}

}  // namespace

DiversityDefinition graph_cut_rule() {
    DiversityDefinition rule;
    rule.name = "graph_cut";
    rule.aliases = {"graphcut"};
    rule.summary =
        "graph cut: strength (usually 1) x similarity to the rows of the shortlist - similarity "
        "among the picks; kernels as facility_location; no centres";
    rule.value = "gain";
    rule.needs_features = true;
    rule.parameters = "strength radius";
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
