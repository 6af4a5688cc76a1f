#include "report/pool_view.hpp"

#include "campaign/round_model.hpp"
#include "report/campaign_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

namespace sluice::report {
namespace {

constexpr std::int64_t map_columns = 48;
constexpr std::int64_t map_rows = 36;
constexpr std::size_t score_bins = 40;
constexpr double tail = 0.001;  // of the sample, left out of the map at either end
constexpr double margin = 0.04;
constexpr double skewness = 30.0;      // largest score over the median: a logarithmic axis
constexpr double decades_shown = 4.0;  // below the largest score
constexpr std::size_t most_groups = 12;

double quantile(const std::vector<double>& sorted, double share) {
    const auto last = static_cast<double>(sorted.size() - 1);
    return sorted[static_cast<std::size_t>(share * last)];
}

// Ascending, what is not finite left out.
std::vector<double> sorted_finite(const std::vector<double>& values) {
    std::vector<double> sorted;
    for (const double value : values) {
        if (std::isfinite(value)) sorted.push_back(value);
    }
    std::sort(sorted.begin(), sorted.end());
    return sorted;
}

void choose_range(const std::vector<double>& sorted, double& low, double& high) {
    low = quantile(sorted, tail);
    high = quantile(sorted, 1.0 - tail);
    const double more = high > low ? (high - low) * margin : 1.0;
    low -= more;
    high += more;
}

std::int64_t cell(double value, double low, double high, std::int64_t count) {
    const double place = (value - low) / (high - low) * static_cast<double>(count);
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(place)), 0, count - 1);
}

std::array<double, 2> cuts(const std::vector<double>& sorted) {
    return {quantile(sorted, 1.0 / 3.0), quantile(sorted, 2.0 / 3.0)};
}

std::vector<MapPoint> points_of(const RowFacts& facts) {
    std::vector<MapPoint> points;
    for (std::size_t i = 0; i < facts.x.size(); ++i) {
        if (std::isfinite(facts.x[i])) points.push_back({facts.rows[i], facts.x[i], facts.y[i]});
    }
    return points;
}

void describe_map(const SampledRows& sample, MapView& map) {
    const std::vector<double> xs = sorted_finite(sample.facts.x);
    const std::vector<double> ys = sorted_finite(sample.facts.y);
    if (xs.empty()) return;
    map.dim = std::ssize(sample.axes->mean);
    map.axis_rows = sample.axes->rows;
    map.share = sample.axes->share;
    choose_range(xs, map.x_low, map.x_high);
    choose_range(ys, map.y_low, map.y_high);
    map.x_cuts = cuts(xs);
    map.y_cuts = cuts(ys);
    map.columns = map_columns;
    map.rows = map_rows;
    map.counts.assign(map_columns * map_rows, 0);
    for (std::size_t i = 0; i < sample.facts.x.size(); ++i) {
        if (!std::isfinite(sample.facts.x[i])) continue;
        const std::int64_t column = cell(sample.facts.x[i], map.x_low, map.x_high, map.columns);
        const std::int64_t row = cell(sample.facts.y[i], map.y_low, map.y_high, map.rows);
        ++map.counts[static_cast<std::size_t>(row * map.columns + column)];
    }
}

// Edges of bins from the lowest to the highest score; of scores that span decades with a long tail
// the bins are logarithmic, and what lies lower than four decades below the top is in the first.
void choose_edges(const std::vector<double>& sorted, double low, double high, ScoreView& view) {
    const double median = quantile(sorted, 0.5);
    view.is_logarithmic = median > 0.0 && high > skewness * median;
    if (view.is_logarithmic) low = std::max(low, high * std::pow(10.0, -decades_shown));
    if (!(high > low)) high = low + std::max(1e-6, std::fabs(low) * 1e-3);
    for (std::size_t i = 0; i <= score_bins; ++i) {
        const double share = static_cast<double>(i) / static_cast<double>(score_bins);
        view.edges.push_back(view.is_logarithmic ? low * std::pow(high / low, share)
                                                 : low + (high - low) * share);
    }
    view.edges.front() = low;
    view.edges.back() = high;
}

std::vector<std::int64_t> counts_between(const std::vector<double>& edges,
                                         const std::vector<double>& values) {
    std::vector<std::int64_t> counts(edges.size() - 1, 0);
    for (const double value : values) {
        const auto above = std::upper_bound(edges.begin(), edges.end(), value) - edges.begin();
        const auto bin = std::clamp<std::ptrdiff_t>(above - 1, 0, std::ssize(counts) - 1);
        ++counts[static_cast<std::size_t>(bin)];
    }
    return counts;
}

// The last round whose batch a score chose that is no random number.
const RoundView* scored_round(const ReportData& data) {
    const auto& rounds = data.active().rounds;
    const auto found = std::find_if(rounds.rbegin(), rounds.rend(), [](const RoundView& round) {
        return round.plan && !round.chosen.empty() && round.plan->strategy.score != "random";
    });
    return found == rounds.rend() ? nullptr : &*found;
}

void describe_scores(const SampledRows& sample, const RoundView& round, ScoreView& view) {
    view.score = round.plan->strategy.score;
    view.round = round.round;
    view.model_round = round.plan->model_round;
    std::vector<double> scores(sample.scores.begin(), sample.scores.end());
    view.sorted = sorted_finite(scores);
    view.refused = std::ssize(scores) - std::ssize(view.sorted);
    if (view.sorted.empty()) return;
    std::vector<double> chosen;
    for (const ChosenRow& row : round.chosen)
        chosen.push_back(row.score);
    chosen = sorted_finite(chosen);
    double low = view.sorted.front();
    double high = view.sorted.back();
    if (!chosen.empty()) {
        low = std::min(low, chosen.front());
        high = std::max(high, chosen.back());
    }
    choose_edges(view.sorted, low, high, view);
    view.pool = counts_between(view.edges, view.sorted);
    view.chosen = counts_between(view.edges, chosen);
}

using Counts = std::map<std::int64_t, std::int64_t>;

template <typename T>
Counts count_values(const std::vector<T>& values) {
    Counts counts;
    for (const T value : values)
        ++counts[value];
    return counts;
}

double share_of(const Counts& counts, std::int64_t value) {
    std::int64_t total = 0;
    for (const auto& [other, count] : counts)
        total += count;
    const auto found = counts.find(value);
    const std::int64_t mine = found == counts.end() ? 0 : found->second;
    return total == 0 ? not_known : static_cast<double>(mine) / static_cast<double>(total);
}

std::vector<Share> shares_of(const std::vector<std::int64_t>& values,
                             const std::function<std::string(std::int64_t)>& name,
                             const std::array<Counts, 3>& counts) {
    std::vector<Share> shares;
    for (const std::int64_t value : values) {
        shares.push_back({name(value), share_of(counts[0], value), share_of(counts[1], value),
                          share_of(counts[2], value)});
    }
    return shares;
}

void describe_classes(const SampledRows& sample, const RowFacts& batch, const RowFacts& labeled,
                      PoolView& view) {
    if (sample.facts.classes.empty()) return;
    std::vector<std::int64_t> classes;
    for (std::int64_t c = 0; c < sample.num_classes; ++c)
        classes.push_back(c);
    const Counts chosen = count_values(batch.classes);
    view.classes =
        shares_of(classes, [](std::int64_t c) { return fmt::format("class {}", c); },
                  {count_values(sample.facts.classes), chosen, count_values(labeled.classes)});
    for (const std::int64_t c : classes) {
        const double share = share_of(chosen, c);
        if (!(view.largest_class_share >= share)) view.largest_class_share = share;
    }
}

void describe_groups(const SampledRows& sample, const RowFacts& batch, const RowFacts& labeled,
                     PoolView& view) {
    if (sample.facts.groups.empty()) return;
    const Counts pool = count_values(sample.facts.groups);
    view.num_groups = std::ssize(pool);
    std::vector<std::pair<std::int64_t, std::int64_t>> largest(pool.begin(), pool.end());
    std::ranges::stable_sort(largest,
                             [](const auto& a, const auto& b) { return a.second > b.second; });
    std::vector<std::int64_t> shown;
    for (std::size_t i = 0; i < std::min(most_groups, largest.size()); ++i)
        shown.push_back(largest[i].first);
    view.groups = shares_of(shown, [](std::int64_t g) { return fmt::format("group {}", g); },
                            {pool, count_values(batch.groups), count_values(labeled.groups)});
}

std::vector<std::int64_t> regions_of(const MapView& map, const RowFacts& facts) {
    std::vector<std::int64_t> regions;
    for (std::size_t i = 0; i < facts.x.size(); ++i) {
        if (std::isfinite(facts.x[i]))
            regions.push_back(static_cast<std::int64_t>(region_of(map, facts.x[i], facts.y[i])));
    }
    return regions;
}

void describe_regions(const SampledRows& sample, const RowFacts& batch, const RowFacts& labeled,
                      PoolView& view) {
    if (view.map.dim == 0) return;
    std::vector<std::int64_t> all;
    for (std::size_t region = 0; region < num_regions; ++region)
        all.push_back(static_cast<std::int64_t>(region));
    view.regions = shares_of(
        all, [](std::int64_t region) { return region_name(static_cast<std::size_t>(region)); },
        {count_values(regions_of(view.map, sample.facts)),
         count_values(regions_of(view.map, batch)), count_values(regions_of(view.map, labeled))});
}

struct RowsByFate {
    std::vector<RowId> chosen;
    std::vector<RowId> labeled;
    std::vector<RowId> failed;
};

RowsByFate rows_by_fate(const ReportData& data) {
    RowsByFate rows;
    const RoundView* last = last_batch(data);
    for (const RoundView& round : data.active().rounds) {
        for (const ChosenRow& chosen : round.chosen) {
            if (chosen.status == "ok") rows.labeled.push_back(chosen.row);
            if (!chosen.status.empty() && chosen.status != "ok") rows.failed.push_back(chosen.row);
            if (&round == last) rows.chosen.push_back(chosen.row);
        }
    }
    return rows;
}

void keep_rows_inside(RowId num_rows, std::vector<RowId>& rows) {
    std::erase_if(rows, [&](RowId row) { return row >= num_rows; });
}

}  // namespace

std::string region_name(std::size_t region) {
    return {static_cast<char>('A' + region / 3), static_cast<char>('1' + region % 3)};
}

SampleTask sample_task(const ReportData& data, std::int64_t most_rows) {
    SampleTask task;
    task.most_rows = most_rows;
    task.input = data.spec ? data.spec->select.input : "auto";
    if (task.input == "model") task.input = "auto";
    if (const RoundView* round = scored_round(data)) {
        task.score = round->plan->strategy.score;
        const std::int64_t model_round = round->plan->model_round;
        if (model_round < 0) return task;
        const campaign::Arm& arm = data.active().arm;
        const std::string predictions = arm.predictions(model_round);
        const bool is_predicted = campaign::model_file(arm, model_round) == predictions;
        (is_predicted ? task.predictions_path : task.model_path) =
            is_predicted ? predictions : arm.model(model_round);
    }
    return task;
}

void describe_pool(const pool::Pool& pool, const SampledRows& sample, ReportData& data) {
    PoolView& view = data.pool;
    view.num_rows = pool.num_rows;
    view.sample_rows = std::ssize(sample.facts.rows);
    view.skipped = std::ranges::count_if(sample.facts.x, [](double x) { return std::isnan(x); });
    RowsByFate rows = rows_by_fate(data);
    for (auto* some : {&rows.chosen, &rows.labeled, &rows.failed})
        keep_rows_inside(pool.num_rows, *some);
    const RowFacts chosen = facts_of(pool, sample, rows.chosen);
    const RowFacts labeled = facts_of(pool, sample, rows.labeled);
    if (sample.axes) {
        describe_map(sample, view.map);
        view.map.chosen = points_of(chosen);
        view.map.labeled = points_of(labeled);
        view.map.failed = points_of(facts_of(pool, sample, rows.failed));
    }
    if (const RoundView* round = scored_round(data); round != nullptr && !sample.scores.empty())
        describe_scores(sample, *round, view.score);
    describe_classes(sample, chosen, labeled, view);
    describe_groups(sample, chosen, labeled, view);
    describe_regions(sample, chosen, labeled, view);
}

std::size_t region_of(const MapView& map, double x, double y) {
    const auto third = [](const std::array<double, 2>& cut, double value) {
        return static_cast<std::size_t>(value > cut[0] ? 1 : 0) +
               static_cast<std::size_t>(value > cut[1] ? 1 : 0);
    };
    return 3 * third(map.x_cuts, x) + third(map.y_cuts, y);
}

double share_above(const ScoreView& view, double score) {
    if (view.sorted.empty()) return not_known;
    const auto first = std::lower_bound(view.sorted.begin(), view.sorted.end(), score);
    return static_cast<double>(view.sorted.end() - first) / static_cast<double>(view.sorted.size());
}

}  // namespace sluice::report
