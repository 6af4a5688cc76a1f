#pragma once

#include "report/report_data.hpp"

#include <string>

namespace sluice::report {

/// The report as one HTML page: inline style and pictures, no script, nothing from elsewhere.
std::string page_text(const ReportData& data);

}  // namespace sluice::report
