#include "core/text.hpp"
#include "report/chart.hpp"
#include "report/page_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sluice::report {
namespace {

constexpr int density_levels = 7;
constexpr std::size_t most_dots = 1500;

double largest(const std::vector<std::int64_t>& counts) {
    return static_cast<double>(*std::ranges::max_element(counts));
}

// Where the campaign trusts no higher score.
void draw_trust(const ReportData& data, Chart& chart) {
    const double most = data.spec ? static_cast<double>(data.spec->select.trust.high) : not_known;
    if (!(most < data.pool.score.edges.back()) || !(most > data.pool.score.edges.front())) return;
    chart.line({{most, 0.0}, {most, 1.08}}, "thin");
    chart.words({most, 1.08}, {4.0, 10.0}, "max-score", "quiet");
}

// Both histograms in one picture, as shares of their own highest bin: the pool's has far more rows.
std::string score_histogram(const ReportData& data) {
    const ScoreView& view = data.pool.score;
    if (view.pool.empty()) return {};
    const Spacing spacing = view.is_logarithmic ? Spacing::logarithmic : Spacing::linear;
    Chart chart("Histogram of the score in the pool and in the batch",
                {view.score + " (higher: label this first)", view.edges.front(), view.edges.back(),
                 spacing},
                {"rows, of the highest bin", 0.0, 1.08});
    chart.draw_axes();
    const double most_pool = std::max(1.0, largest(view.pool));
    const double most_chosen = std::max(1.0, largest(view.chosen));
    for (std::size_t bin = 0; bin < view.pool.size(); ++bin) {
        chart.bar(view.edges[bin], view.edges[bin + 1],
                  static_cast<double>(view.pool[bin]) / most_pool, "fill pale");
    }
    for (std::size_t bin = 0; bin < view.chosen.size(); ++bin) {
        const double inset = 0.2 * (chart.at_x(view.edges[bin + 1]) - chart.at_x(view.edges[bin]));
        const double height = static_cast<double>(view.chosen[bin]) / most_chosen;
        if (view.chosen[bin] == 0) continue;
        chart.add(
            fmt::format("<rect class=\"fill chosen\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
                        "height=\"{:.1f}\"/>\n",
                        chart.at_x(view.edges[bin]) + inset, chart.at_y(height),
                        chart.at_x(view.edges[bin + 1]) - chart.at_x(view.edges[bin]) - 2 * inset,
                        chart.at_y(0.0) - chart.at_y(height)));
    }
    draw_trust(data, chart);
    std::string caption = fmt::format(
        "What {} says of the pool and of the rows chosen in round {}; each histogram is scaled to "
        "its own highest bin.",
        view.model_round >= 0 ? fmt::format("the model of round {}", view.model_round)
                              : std::string("the pool's own data"),
        view.round);
    if (view.is_logarithmic) caption += " Logarithmic bins; the first holds all lower scores.";
    if (view.refused > 0)
        caption +=
            fmt::format(" {} rows of the sample have no finite score.", count_text(view.refused));
    return figure_html(
        {"Why these rows",
         key_html({{"pale", "pool"}, {"chosen", fmt::format("chosen in round {}", view.round)}}) +
             chart.svg(),
         caption});
}

// Cells of about the same number of rows as one path, so that the picture stays small.
std::string density(const MapView& map, const Chart& chart) {
    const double most = std::log1p(std::max(1.0, largest(map.counts)));
    const double width = (map.x_high - map.x_low) / static_cast<double>(map.columns);
    const double height = (map.y_high - map.y_low) / static_cast<double>(map.rows);
    std::vector<std::string> levels(density_levels);
    for (std::int64_t row = 0; row < map.rows; ++row) {
        for (std::int64_t column = 0; column < map.columns; ++column) {
            const auto count = map.counts[static_cast<std::size_t>(row * map.columns + column)];
            if (count == 0) continue;
            const double share = std::log1p(static_cast<double>(count)) / most;
            const int level =
                std::min(density_levels - 1, static_cast<int>(share * density_levels));
            const double x = map.x_low + static_cast<double>(column) * width;
            const double y = map.y_low + static_cast<double>(row + 1) * height;
            levels[static_cast<std::size_t>(level)] += fmt::format(
                "M{:.1f} {:.1f}h{:.2f}v{:.2f}h-{:.2f}z", chart.at_x(x), chart.at_y(y),
                chart.at_x(x + width) - chart.at_x(x), chart.at_y(y - height) - chart.at_y(y),
                chart.at_x(x + width) - chart.at_x(x));
        }
    }
    std::string text;
    for (int level = 0; level < density_levels; ++level) {
        const std::string& path = levels[static_cast<std::size_t>(level)];
        if (path.empty()) continue;
        text +=
            fmt::format("<path d=\"{}\" fill=\"rgba(var(--density),{:.2f})\" stroke=\"none\"/>\n",
                        path, 0.06 + 0.5 * (level + 1) / density_levels);
    }
    return text;
}

PlotPoint inside(const MapView& map, const MapPoint& point) {
    return {std::clamp(point.x, map.x_low, map.x_high), std::clamp(point.y, map.y_low, map.y_high)};
}

void draw_points(const MapView& map, const std::vector<MapPoint>& points, double radius,
                 const std::string& style, Chart& chart) {
    const std::size_t count = std::min(points.size(), most_dots);
    for (std::size_t i = 0; i < count; ++i)
        chart.dot(inside(map, points[i * points.size() / count]), radius, style);
}

void draw_regions(const MapView& map, Chart& chart) {
    for (const double cut : map.x_cuts)
        chart.line({{cut, map.y_low}, {cut, map.y_high}}, "thin");
    for (const double cut : map.y_cuts)
        chart.line({{map.x_low, cut}, {map.x_high, cut}}, "thin");
    const std::array<double, 4> xs = {map.x_low, map.x_cuts[0], map.x_cuts[1], map.x_high};
    const std::array<double, 4> ys = {map.y_low, map.y_cuts[0], map.y_cuts[1], map.y_high};
    for (std::size_t third = 0; third < 3; ++third) {
        chart.words({(xs[third] + xs[third + 1]) / 2.0, map.y_high}, {0.0, 13.0},
                    region_name(3 * third).substr(0, 1), "quiet mid");
        chart.words({map.x_high, (ys[third] + ys[third + 1]) / 2.0}, {-5.0, 4.0},
                    region_name(third).substr(1), "quiet end");
    }
}

std::string map_figure(const ReportData& data) {
    const MapView& map = data.pool.map;
    if (map.dim == 0) return {};
    ChartFrame frame;
    frame.height = 340.0;
    Chart chart(
        "The pool along its two principal axes",
        {fmt::format("first principal axis ({:.0f} % of the variance)", 100.0 * map.share[0]),
         map.x_low, map.x_high},
        {fmt::format("second principal axis ({:.0f} %)", 100.0 * map.share[1]), map.y_low,
         map.y_high},
        frame);
    chart.draw_axes();
    chart.add(density(map, chart));
    draw_regions(map, chart);
    draw_points(map, map.labeled, 2.6, "fill labeled", chart);
    const std::size_t count = std::min(map.failed.size(), most_dots);
    for (std::size_t i = 0; i < count; ++i)
        chart.cross(inside(map, map.failed[i * map.failed.size() / count]), "cross");
    draw_points(map, map.chosen, 3.6, "fill now", chart);
    return figure_html(
        {"Where they lie",
         key_html({{"active", "pool"},
                   {"ring", "labeled"},
                   {"chosen", fmt::format("chosen in round {}", data.batch_round)},
                   {"ink", "× no label"}}) +
             chart.svg(),
         fmt::format("Density of {} evenly spaced rows along the directions in which the {} "
                     "features vary most. Dotted lines cut the pool into thirds along each axis: "
                     "the regions A1 to C3 of this page. What lies outside is drawn at the edge.",
                     count_text(data.pool.sample_rows), map.dim)});
}

// One small chart of a number by round.
std::string by_round(const ReportData& data, const std::string& title, const std::string& label,
                     const std::string& caption,
                     std::optional<double> campaign::RoundBatch::*value) {
    std::vector<PlotPoint> points;
    double most = 0.0;
    for (const RoundView& round : data.active().rounds) {
        if (!round.batch || !((*round.batch).*value)) continue;
        points.emplace_back(static_cast<double>(round.round), *((*round.batch).*value));
        most = std::max(most, points.back().second);
    }
    if (points.empty()) return {};
    ChartFrame frame;
    frame.height = 210.0;
    const double first = points.front().first;
    const double last = points.back().first;
    Chart chart(title, {"round", first - 0.5, last + 0.5},
                {label, 0.0, most > 0.0 ? most * 1.15 : 1.0}, frame);
    chart.draw_axes();
    chart.line(points, "line active");
    for (const PlotPoint& point : points) {
        chart.dot(point, 3.2, "fill active");
        if (points.size() <= 12)
            chart.words(point, {0.0, -9.0}, short_number(point.second), "mid tick");
    }
    return figure_html({title, chart.svg(), caption});
}

std::string shares_card(const std::string& title, const std::vector<Share>& shares,
                        const std::string& caption) {
    if (shares.empty()) return {};
    std::vector<std::vector<std::string>> rows;
    for (const Share& share : shares) {
        const auto bar = [&](double value, const char* style) {
            if (!std::isfinite(value)) return std::string();
            return fmt::format(R"(<rect class="fill {}" x="0" y="{}" width="{:.1f}" height="5"/>)",
                               style, style == std::string("pale") ? 1 : 8, 100.0 * value);
        };
        rows.push_back({escaped(share.name), percent_html(share.pool), percent_html(share.batch),
                        percent_html(share.labels),
                        R"(<svg viewBox="0 0 100 14" style="width:100px" aria-hidden="true">)" +
                            bar(share.pool, "pale") + bar(share.batch, "chosen") + "</svg>"});
    }
    return figure_html({title,
                        key_html({{"pale", "pool"}, {"chosen", "last batch"}}) +
                            table_html({"", "#pool", "#batch", "#labeled", ""}, rows),
                        caption});
}

}  // namespace

std::string pool_part(const ReportData& data) {
    const PoolView& pool = data.pool;
    std::vector<std::string> cards = {
        score_histogram(data), map_figure(data),
        by_round(
            data, "Covering radius", "distance",
            "The largest distance from a row of the round's shortlist to the nearest labeled or "
            "chosen one. Each round has a shortlist of its own.",
            &campaign::RoundBatch::covering_radius),
        by_round(
            data, "Distance within the batch", "distance",
            "Mean distance from a chosen row to the nearest other one of its batch: near zero, "
            "a batch repeats itself.",
            &campaign::RoundBatch::redundancy)};
    std::string classes = "Predicted classes.";
    if (std::isfinite(pool.largest_class_share)) {
        classes += fmt::format(" {:.0f} % of the batch are predicted to be of one class.",
                               100.0 * pool.largest_class_share);
    }
    cards.push_back(shares_card("Classes asked for", pool.classes, classes));
    cards.push_back(shares_card(
        "Groups asked for", pool.groups,
        fmt::format("The largest of {} groups in the sample.", count_text(pool.num_groups))));
    cards.push_back(
        shares_card("Regions asked for", pool.regions,
                    "Shares of the pool, the last batch and all labels by region of the "
                    "map."));
    for (const std::string& card : distance_cards(data))
        cards.push_back(card);
    return section_html("What was asked for, and why",
                        pool.num_rows > 0
                            ? fmt::format("From {} of the pool's {} rows, evenly spaced.",
                                          count_text(pool.sample_rows), count_text(pool.num_rows))
                            : std::string("From the rounds' files."),
                        cards);
}

}  // namespace sluice::report
