#include "study/svg_plot.hpp"

#include "core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>

namespace sluice::study {
namespace {

constexpr double width = 840.0;
constexpr double height = 500.0;
constexpr double left = 84.0;
constexpr double right = 560.0;  // the legend stands to the right of it
constexpr double top = 48.0;
constexpr double bottom = 414.0;
constexpr double legend_step = 24.0;
constexpr double margin_share = 0.04;  // of the values' range, above and below
constexpr int wanted_ticks = 6;

/// Okabe and Ito's palette without its yellow, which is faint on white.
constexpr std::array<const char*, 7> colours = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                "#56B4E9", "#E69F00", "#000000"};
constexpr const char* dashed_colour = "#666666";

struct Range {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();

    void add(double value) {
        if (!std::isfinite(value)) return;
        low = std::min(low, value);
        high = std::max(high, value);
    }
    // Something to draw in, also for no values or one.
    void widen(double share) {
        if (!(low <= high)) *this = {0.0, 1.0};
        const double size = high - low;
        const double more = size > 0.0 ? size * share : std::max(std::abs(high) * 0.1, 1e-12);
        low -= more;
        high += size > 0.0 || more > 0.0 ? more : 1.0;
    }
};

class Picture {
  public:
    explicit Picture(const Plot& plot) : plot_(plot) {
        for (const PlotSeries& series : plot.series) {
            for (const double value : series.x)
                x_.add(value);
            for (const auto* values : {&series.y, &series.low, &series.high}) {
                for (const double value : *values)
                    y_.add(value);
            }
        }
        for (const PlotLevel& level : plot.levels)
            y_.add(level.y);
        if (!(x_.low < x_.high)) x_.widen(margin_share);
        y_.widen(margin_share);
    }

    std::string text() {
        begin();
        draw_axes();
        for (std::size_t i = 0; i < plot_.series.size(); ++i)
            draw_band(plot_.series[i], colour(i));
        for (const PlotLevel& level : plot_.levels)
            draw_level(level);
        for (std::size_t i = 0; i < plot_.series.size(); ++i)
            draw_curve(plot_.series[i], colour(i));
        draw_legend();
        return text_ + "</g>\n</svg>\n";
    }

  private:
    template <typename... Values>
    void add(fmt::format_string<Values...> format, Values&&... values) {
        fmt::format_to(std::back_inserter(text_), format, std::forward<Values>(values)...);
    }

    double at_x(double x) const {
        return left + (x - x_.low) / (x_.high - x_.low) * (right - left);
    }
    double at_y(double y) const {
        return bottom - (y - y_.low) / (y_.high - y_.low) * (bottom - top);
    }

    // Dashed series (the reference arm) are grey and use up no colour.
    const char* colour(std::size_t index) const {
        if (plot_.series[index].style == PlotSeries::Style::dashed) return dashed_colour;
        std::size_t number = 0;
        for (std::size_t i = 0; i < index; ++i) {
            if (plot_.series[i].style == PlotSeries::Style::solid) ++number;
        }
        return colours[number % colours.size()];
    }

    void begin() {
        add("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
            "viewBox=\"0 0 {0} {1}\">\n<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n"
            "<g font-family=\"Helvetica, Arial, sans-serif\" font-size=\"13\" fill=\"#222222\">\n",
            width, height);
        add("<text x=\"{}\" y=\"28\" font-size=\"16\" font-weight=\"bold\">{}</text>\n", left,
            escaped(plot_.title));
        add("<text x=\"{}\" y=\"{}\" font-size=\"11\" fill=\"#555555\">{}</text>\n", left,
            height - 14.0, escaped(plot_.note));
    }

    void draw_axes() {
        for (const double tick : axis_ticks(x_.low, x_.high, wanted_ticks)) {
            add("<path d=\"M{0:.1f} {1}V{2}\" stroke=\"#e4e4e4\"/>\n<text x=\"{0:.1f}\" y=\"{3}\" "
                "text-anchor=\"middle\">{4:g}</text>\n",
                at_x(tick), top, bottom, bottom + 20.0, tick);
        }
        for (const double tick : axis_ticks(y_.low, y_.high, wanted_ticks)) {
            add("<path d=\"M{0} {1:.1f}H{2}\" stroke=\"#e4e4e4\"/>\n<text x=\"{3}\" y=\"{4:.1f}\" "
                "text-anchor=\"end\">{5:g}</text>\n",
                left, at_y(tick), right, left - 8.0, at_y(tick) + 4.5, tick);
        }
        add("<path d=\"M{0} {1}V{2}H{3}\" fill=\"none\" stroke=\"#222222\"/>\n", left, top, bottom,
            right);
        add("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", (left + right) / 2.0,
            bottom + 44.0, escaped(plot_.x_label));
        const double middle = (top + bottom) / 2.0;
        add("<text x=\"22\" y=\"{0}\" text-anchor=\"middle\" transform=\"rotate(-90 22 {0})\">{1}"
            "</text>\n",
            middle, escaped(plot_.y_label));
    }

    void draw_band(const PlotSeries& series, const char* paint) {
        if (series.low.empty()) return;
        std::string path;
        for (std::size_t i = 0; i < series.x.size(); ++i) {
            if (!std::isfinite(series.high[i])) continue;
            path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", at_x(series.x[i]),
                                at_y(series.high[i]));
        }
        for (std::size_t i = series.x.size(); i-- > 0;) {
            if (!std::isfinite(series.low[i])) continue;
            path += fmt::format("L{:.1f} {:.1f}", at_x(series.x[i]), at_y(series.low[i]));
        }
        if (path.empty()) return;
        add("<path d=\"{}Z\" fill=\"{}\" fill-opacity=\"0.15\"/>\n", path, paint);
    }

    void draw_curve(const PlotSeries& series, const char* paint) {
        std::string path;
        bool pen_is_down = false;
        for (std::size_t i = 0; i < series.x.size(); ++i) {
            const bool is_point = std::isfinite(series.y[i]);
            if (is_point) {
                path += fmt::format("{}{:.1f} {:.1f}", pen_is_down ? "L" : "M", at_x(series.x[i]),
                                    at_y(series.y[i]));
            }
            pen_is_down = is_point;
        }
        add("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" "
            "stroke-linejoin=\"round\"{}/>\n",
            path, paint, dashes(series));
    }

    static const char* dashes(const PlotSeries& series) {
        return series.style == PlotSeries::Style::dashed ? " stroke-dasharray=\"7 4\"" : "";
    }

    void draw_level(const PlotLevel& level) {
        add("<path d=\"M{0} {1:.1f}H{2}\" stroke=\"#222222\"{3}/>\n", left, at_y(level.y), right,
            level_dashes(level));
    }

    // The first level is dotted, others have longer dashes.
    const char* level_dashes(const PlotLevel& level) const {
        return &level == plot_.levels.data() ? " stroke-dasharray=\"2 4\""
                                             : " stroke-dasharray=\"10 3 2 3\"";
    }

    void draw_legend() {
        double y = top + 10.0;
        for (std::size_t i = 0; i < plot_.series.size(); ++i, y += legend_step) {
            add("<path d=\"M{} {}h28\" stroke=\"{}\" stroke-width=\"3\"{}/>\n", right + 16.0, y,
                colour(i), dashes(plot_.series[i]));
            name(plot_.series[i].name, y);
        }
        for (const PlotLevel& level : plot_.levels) {
            add("<path d=\"M{} {}h28\" stroke=\"#222222\"{}/>\n", right + 16.0, y,
                level_dashes(level));
            name(level.name, y);
            y += legend_step;
        }
    }

    void name(const std::string& text, double y) {
        add("<text x=\"{}\" y=\"{}\">{}</text>\n", right + 52.0, y + 4.5, escaped(text));
    }

    const Plot& plot_;
    Range x_;
    Range y_;
    std::string text_;
};

}  // namespace

std::string escaped(const std::string& text) {
    std::string result;
    for (const char letter : printable(text)) {
        switch (letter) {
            case '&':
                result += "&amp;";
                break;
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            case '"':
                result += "&quot;";
                break;
            default:
                result += letter;
        }
    }
    return result;
}

std::vector<double> axis_ticks(double low, double high, int wanted) {
    const double rough = (high - low) / wanted;
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    double step = power;
    for (const double factor : {2.0, 5.0, 10.0}) {
        if (step < rough) step = power * factor;
    }
    std::vector<double> ticks;
    const auto last = static_cast<std::int64_t>(std::floor(high / step + 1e-9));
    for (auto i = static_cast<std::int64_t>(std::ceil(low / step - 1e-9)); i <= last; ++i)
        ticks.push_back(static_cast<double>(i) * step);
    return ticks;
}

std::string svg_text(const Plot& plot) {
    return Picture(plot).text();
}

}  // namespace sluice::study
