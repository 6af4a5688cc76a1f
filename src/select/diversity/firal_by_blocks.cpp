#include "core/error.hpp"
#include "core/text.hpp"
#include "select/diversity/firal.hpp"
#include "select/diversity/firal_relax.hpp"
#include "select/diversity/firal_round.hpp"
#include "select/diversity/nearest_state.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::select {
namespace {

constexpr std::int64_t most_work = std::int64_t{1} << 36;  // rows x classes x features^2
constexpr std::int64_t vectors_at_once = 16;               // probes

}  // namespace

// Rows are dealt out over the ranks; class blocks and vectors are the same everywhere.
DiverseBatch firal_by_blocks(const ShortlistShare& share, const DiversityOptions& options,
                             comm::Communicator& world) {
    const FisherRows rows(share, options.num_threads, world);
    DiverseBatch batch;
    FiralRules rules;
    rules.num_picks = std::min(options.num_picks, rows.num_rows());
    if (rules.num_picks == 0) return batch;
    const double sigma = value_or(options.parameters.sigma, 1.0);
    rules.squared_sigma = sigma * sigma;
    rules.seed = options.seed;
    rules.round = options.round;
    rules.num_threads = options.num_threads;
    const RelaxedWeights relaxed = relax_firal(rows, rules, world);
    batch.picks = round_firal(rows, rules, relaxed.weights, options.progress, world);
    batch.rounds = rules.num_picks;
    batch.note = fmt::format(
        "firal: relaxed tr(S^-1 F) about {:.4g}, by random probes and a block "
        "for each class",
        relaxed.objective);
    return batch;
}

DiversityForecast forecast_firal_by_blocks(const DiversitySizes& sizes) {
    const double work = static_cast<double>(sizes.shortlist_rows) *
                        static_cast<double>(sizes.classes) * static_cast<double>(sizes.dim) *
                        static_cast<double>(sizes.dim);
    require(work <= static_cast<double>(most_work), ExitCode::usage,
            fmt::format("--diversify firal: {} rows x {} classes x {} features^2 for each pick is "
                        "more than {}; lower --shortlist or choose another rule",
                        count_text(sizes.shortlist_rows), count_text(sizes.classes),
                        count_text(sizes.dim), count_text(most_work)));
    constexpr auto real = static_cast<std::int64_t>(sizeof(double));
    const std::int64_t row = (sizes.dim + sizes.member_floats) * std::int64_t{sizeof(float)};
    const std::int64_t columns = std::max(sizes.classes * vectors_at_once, sizes.dim);
    const std::int64_t own = sizes.share_rows + sizes.num_centers;
    DiversityForecast forecast;
    forecast.memory_bytes = 2 * sizes.shortlist_rows * row +
                            own * (row + (sizes.classes + 3 * columns) * real) +
                            (2 * sizes.num_threads + 10) * sizes.dim * columns * real +
                            9 * sizes.classes * sizes.dim * sizes.dim * real;
    // Sums of some ten iterations a step, and four exchanges a pick.
    forecast.rounds = 60 * 30 + 4 * sizes.num_picks;
    forecast.bytes_received = sizes.shortlist_rows * (row + real) +
                              60 * 12 * sizes.dim * sizes.classes * vectors_at_once * real;
    return forecast;
}

}  // namespace sluice::select
