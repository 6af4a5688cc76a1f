#pragma once

#include "report/report_data.hpp"

#include <string>
#include <utility>
#include <vector>

namespace sluice::report {

// The parts of a page, each as HTML; empty where there is nothing to say.

/// How good the model is: learning curve, parity, calibration.
std::string quality_part(const ReportData& data);
/// What was asked for: scores, map, diversity by round, shares.
std::string pool_part(const ReportData& data);
/// What no label has come near to yet, and whether the test rows are like the pool.
std::vector<std::string> distance_cards(const ReportData& data);
/// The last batch as a table.
std::string batch_part(const ReportData& data);
/// Queues, oracle times, failures.
std::string label_part(const ReportData& data);
/// What the stop rules say.
std::string stop_part(const ReportData& data);
/// Seconds and bytes by stage, round and rank.
std::string work_part(const ReportData& data);
/// What everything was made of.
std::string provenance_part(const ReportData& data);

// What parts are put together from.

/// A picture with a title above and a caption below; `kind` may be `wide`.
struct Figure {
    std::string title;
    std::string picture;  ///< HTML
    std::string caption;  ///< HTML
    std::string kind = {};
};
std::string figure_html(const Figure& figure);

/// `<section>` with a heading and figures in two columns; empty without any.
std::string section_html(const std::string& title, const std::string& lead,
                         const std::vector<std::string>& cards);

/// Coloured squares with words, as (class, text).
std::string key_html(const std::vector<std::pair<std::string, std::string>>& entries);

/// A table; columns whose heading begins with `#` hold numbers, with `~` long words.
std::string table_html(const std::vector<std::string>& headings,
                       const std::vector<std::vector<std::string>>& rows);

/// `0.0123`, four digits; a dash where it is not known.
std::string number_html(double value);
/// `12.3 %`
std::string percent_html(double share);

}  // namespace sluice::report
