#pragma once

#include "report/report_data.hpp"

#include <map>

namespace sluice::report {

/// Fills in the table of the last batch, with the reason for each row in words.
void view_batch(const std::map<RowId, std::size_t>& regions, ReportData& data);

}  // namespace sluice::report
