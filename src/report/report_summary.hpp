#pragma once

#include "report/report_data.hpp"

#include <string>

namespace sluice::report {

/// The one sentence that says how the campaign stands: labels, metric, and whether it is better
/// than its random arm.
std::string headline(const ReportData& data);

/// How sure the comparison with the random arm is, and what it does not say; for people.
std::string verdict_text(const ReportData& data);

/// A page for terminals, its sentences in lines of 78 letters: headline, the curve with small bars,
/// queues, stop rules and what is missing.
std::string summary_text(const ReportData& data);

}  // namespace sluice::report
