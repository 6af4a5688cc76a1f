#pragma once

#include "report/report_data.hpp"

#include <string>

namespace sluice::report {

/// Every number of the page as one JSON object; what is not known is null.
std::string report_json(const ReportData& data);

}  // namespace sluice::report
