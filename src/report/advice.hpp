#pragma once

#include "report/report_data.hpp"

namespace sluice::report {

/// Fills in data.advice: what the campaign's stop rules say of its complete rounds, and what rules
/// that it has not set would say at customary thresholds.
void advise(ReportData& data);

}  // namespace sluice::report
