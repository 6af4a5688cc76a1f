#include "report/chart.hpp"
#include "report/page_parts.hpp"

#include <fmt/format.h>

#include <cmath>

namespace sluice::report {

std::string figure_html(const Figure& figure) {
    return fmt::format("<figure{}>\n<h3>{}</h3>\n{}<figcaption>{}</figcaption>\n</figure>\n",
                       figure.kind.empty() ? "" : fmt::format(" class=\"{}\"", figure.kind),
                       escaped(figure.title), figure.picture, figure.caption);
}

std::string section_html(const std::string& title, const std::string& lead,
                         const std::vector<std::string>& cards) {
    std::string inside;
    for (const std::string& card : cards)
        inside += card;
    if (inside.empty()) return {};
    return fmt::format(
        "<section>\n<h2>{}</h2>\n<p class=\"lead\">{}</p>\n<div class=\"grid\">\n{}"
        "</div>\n</section>\n",
        escaped(title), lead, inside);
}

std::string key_html(const std::vector<std::pair<std::string, std::string>>& entries) {
    std::string text = "<div class=\"key\">";
    for (const auto& [style, words] : entries)
        text += fmt::format("<span><i class=\"{}\"></i>{}</span>", style, escaped(words));
    return text + "</div>\n";
}

std::string table_html(const std::vector<std::string>& headings,
                       const std::vector<std::vector<std::string>>& rows) {
    const auto style = [&](std::size_t column) {
        const char kind = headings[column].empty() ? ' ' : headings[column].front();
        return kind == '#' ? " class=\"n\"" : kind == '~' ? " class=\"words\"" : "";
    };
    std::string text = "<div class=\"scroll\"><table>\n<thead><tr>";
    for (std::size_t column = 0; column < headings.size(); ++column) {
        const std::string& heading = headings[column];
        const bool has_mark = heading.starts_with('#') || heading.starts_with('~');
        text +=
            fmt::format("<th{}>{}</th>", style(column), escaped(heading.substr(has_mark ? 1 : 0)));
    }
    text += "</tr></thead>\n<tbody>\n";
    for (const std::vector<std::string>& row : rows) {
        text += "<tr>";
        for (std::size_t column = 0; column < row.size(); ++column)
            text += fmt::format("<td{}>{}</td>", style(column), row[column]);
        text += "</tr>\n";
    }
    return text + "</tbody></table></div>\n";
}

std::string number_html(double value) {
    return std::isfinite(value) ? fmt::format("{:.4g}", value) : "–";
}

std::string percent_html(double share) {
    return std::isfinite(share) ? fmt::format("{:.1f} %", 100.0 * share) : "–";
}

}  // namespace sluice::report
