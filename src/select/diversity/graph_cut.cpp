#include "kernels/worker_pool.hpp"
#include "select/diversity/greedy_rounds.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/rules.hpp"
#include "select/diversity/similarity.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace sluice::select {
namespace {

// f(S) = strength x sum over rows i and picks j of s_ij - sum over pairs of picks of s_jj', each
// pair twice and each pick with itself, as submodlib has it. Own candidates' sums over all rows are
// one float64 chain (of four) in the order of rows, made once; a pick then takes 2 s from each
// gain, which so never rises: an objective for GreedyRounds, where a row makes up for the picks
// that it has missed, in their order, when it is looked at again.
class Cut {
  public:
    struct State {
        double gain = 0.0;
        std::int64_t seen = 0;  // picks that it accounts for
    };

    Cut(const ShortlistShare& share, const DiversityOptions& options, double strength,
        comm::Communicator& world)
        : share_(share), options_(options), states_(share.rows.size()) {
        const AllRows all = gather_all_rows(share, world);
        similarity_ = usual_similarity(all, options);
        const SimilarityRows rows(all, similarity_);
        constexpr std::int64_t rows_a_task = 32;
        const std::int64_t own = std::ssize(states_);
        const std::size_t width = all.rows.size();
        kernels::parallel_for(
            options.num_threads, (own + rows_a_task - 1) / rows_a_task, [&](std::int64_t task) {
                const std::int64_t first = task * rows_a_task;
                const std::int64_t count = std::min(rows_a_task, own - first);
                std::vector<float> similar(static_cast<std::size_t>(count) * width);
                rows.fill_rows({share.features.row(first), count, width_of(share)}, similar);
                for (std::int64_t i = 0; i < count; ++i) {
                    const float* const of_row =
                        similar.data() + static_cast<std::size_t>(i) * width;
                    double sums[4] = {};
                    for (std::size_t j = 0; j < width; ++j)
                        sums[j % 4] += static_cast<double>(of_row[j]);
                    states_[static_cast<std::size_t>(first + i)].gain =
                        strength * ((sums[0] + sums[1]) + (sums[2] + sums[3])) - 1.0;
                }
            });
    }

    double gain(std::int64_t local) const { return state(local).gain; }
    bool is_fresh(std::int64_t local) const { return state(local).seen == num_picks(); }
    State state(std::int64_t local) const { return states_[static_cast<std::size_t>(local)]; }
    void set_state(std::int64_t local, const State& state) {
        states_[static_cast<std::size_t>(local)] = state;
    }
    std::int64_t width() const { return width_of(share_); }
    void tell(std::int64_t local, float* to) const {
        std::copy_n(share_.features.row(local), width(), to);
    }

    void refresh(std::span<const std::int64_t> locals) {
        // Rows that have missed the same picks side by side.
        std::vector<std::int64_t> order(locals.begin(), locals.end());
        std::sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t j) {
            return std::pair(state(i).seen, i) < std::pair(state(j).seen, j);
        });
        const std::int64_t num_rows = std::ssize(order);
        kernels::parallel_for(
            options_.num_threads, (num_rows + rows_a_look - 1) / rows_a_look,
            [&](std::int64_t task) {
                const std::int64_t first = task * rows_a_look;
                make_up(std::span<const std::int64_t>(order).subspan(
                    static_cast<std::size_t>(first),
                    static_cast<std::size_t>(std::min(rows_a_look, num_rows - first))));
            });
    }

    class Panel {
      public:
        Panel(Cut& cut, std::span<const float> told, std::span<const State> states)
            : cut_(cut),
              told_(told),
              packed_({told.data(), std::ssize(states), cut.width()}, numbers_to(states.size())),
              similar_(states.size()) {
            for (const State& state : states)
                gains_.push_back(state.gain);
        }

        double gain(std::int64_t i) const { return gains_[static_cast<std::size_t>(i)]; }
        float value(std::int64_t i) const { return static_cast<float>(gain(i)); }
        State state(std::int64_t i) const { return {gain(i), cut_.num_picks()}; }
        void take(std::int64_t i) {
            const float* const row = told_.data() + i * cut_.width();
            cut_.picks_.insert(cut_.picks_.end(), row, row + cut_.width());
            packed_.distances({row, 1, cut_.width()}, {0, std::ssize(similar_)}, similar_.data(),
                              std::ssize(similar_));
            cut_.similarity_.of_all(similar_);
            for (std::size_t j = 0; j < gains_.size(); ++j)
                gains_[j] -= 2.0 * static_cast<double>(similar_[j]);
        }

      private:
        Cut& cut_;
        std::span<const float> told_;
        kernels::PackedRows packed_;
        std::vector<float> similar_;
        std::vector<double> gains_;
    };

    static constexpr std::int64_t rows_a_look = 48;

  private:
    static std::int64_t width_of(const ShortlistShare& share) { return share.features.dim; }
    static std::vector<std::int64_t> numbers_to(std::size_t count) {
        std::vector<std::int64_t> numbers(count);
        std::iota(numbers.begin(), numbers.end(), std::int64_t{0});
        return numbers;
    }
    std::int64_t num_picks() const { return std::ssize(picks_) / width(); }

    // The first of the rows has seen least.
    void make_up(std::span<const std::int64_t> rows) {
        const std::int64_t first = state(rows.front()).seen;
        const std::int64_t missed = num_picks() - first;
        std::vector<float> similar(rows.size() * static_cast<std::size_t>(missed));
        kernels::PackedRows(share_.features, rows)
            .distances({picks_.data() + first * width(), missed, width()}, {0, std::ssize(rows)},
                       similar.data(), std::ssize(rows));
        similarity_.of_all(similar);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            State& own = states_[static_cast<std::size_t>(rows[i])];
            for (; own.seen < num_picks(); ++own.seen) {
                const auto pick = static_cast<std::size_t>(own.seen - first);
                own.gain -= 2.0 * static_cast<double>(similar[pick * rows.size() + i]);
            }
        }
    }

    const ShortlistShare& share_;
    const DiversityOptions& options_;
    std::vector<State> states_;
    std::vector<float> picks_;  // [picks, D]
    Similarity similarity_;
};

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    Cut objective(share, options, value_or(options.parameters.strength, 1.0), world);
    return GreedyRounds<Cut>(share, options, objective, world).pick();
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    constexpr std::int64_t rows_a_task = 32;
    constexpr auto real = static_cast<std::int64_t>(sizeof(float));
    DiversityForecast forecast = forecast_in_rounds(sizes, sizes.dim);
    const std::int64_t blocks = sizes.num_threads *
                                std::max(rows_a_task * sizes.shortlist_rows,
                                         Cut::rows_a_look * (sizes.num_picks + sizes.dim)) *
                                real;
    forecast.memory_bytes +=
        all_rows_memory(sizes) + sizes.shortlist_rows * sizes.dim * real + blocks;
    forecast.bytes_received += sizes.shortlist_rows * (sizes.dim * real + 12);
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
