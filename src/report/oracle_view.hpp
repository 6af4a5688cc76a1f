#pragma once

#include "report/report_data.hpp"

#include <map>

namespace sluice::report {

/// Fills in data.oracle from the result files of the campaign's own queue: times, and why items
/// failed, by region of the map where `regions` knows their row. Files that vanish or cannot be
/// read meanwhile are left out, as are those beyond 200,000 results. For rank 0.
void view_oracle(const std::map<RowId, std::size_t>& regions, ReportData& data);

}  // namespace sluice::report
