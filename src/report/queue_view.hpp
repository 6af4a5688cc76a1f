#pragma once

#include "report/report_data.hpp"

namespace sluice::report {

/// Fills in the states of the queues of both arms and of the test rows, and how long items wait in
/// them. Reads only.
void view_queues(ReportData& data);

/// `2026-11-25 16:05 UTC` from seconds since 1970.
std::string utc_text(double seconds);

}  // namespace sluice::report
