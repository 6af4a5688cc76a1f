#include "core/text.hpp"
#include "report/page_parts.hpp"

#include <fmt/format.h>

namespace sluice::report {
namespace {

std::string farthest_card(const FarthestView& view) {
    if (view.rows.empty()) return {};
    std::vector<std::vector<std::string>> rows;
    for (const FarRow& far : view.rows) {
        rows.push_back({std::to_string(far.row), number_html(far.distance),
                        std::to_string(far.label), far.region});
    }
    return figure_html(
        {"Farthest from every label",
         table_html({"#Row", "#Distance", "#Nearest label", "Region"}, rows),
         fmt::format("Of {} rows of the sample, by Euclidean distance of the features to the "
                     "nearest of {} labeled rows: what the model has not seen the like of.",
                     count_text(view.looked_at), count_text(view.labeled))});
}

std::string test_card(const TestDistance& view) {
    if (view.test_rows == 0) return {};
    return figure_html(
        {"Are the test rows like the pool?",
         table_html({"", "#median distance"},
                    {{fmt::format("{} test rows to the pool", count_text(view.test_rows)),
                      number_html(view.test_median)},
                     {"as many of the pool", number_html(view.pool_median)}}),
         fmt::format("To the nearest other one of {} rows of the sample. {} of the test rows lie "
                     "farther out than 95 % of the pool's own do; 5 % would by chance. A model is "
                     "measured on rows like the test rows.",
                     count_text(view.pool_rows), percent_html(view.share_beyond))});
}

}  // namespace

std::vector<std::string> distance_cards(const ReportData& data) {
    return {farthest_card(data.pool.farthest), test_card(data.pool.test_distance)};
}

}  // namespace sluice::report
