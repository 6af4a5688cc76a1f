#pragma once

#include "study/study.hpp"

#include <string>
#include <vector>

namespace sluice::study {

/// Writes curves.csv, summary.csv, summary.json and a plot for each data set and measure
/// (DATA.MEASURE.svg, and with costs DATA.MEASURE.cost.svg) to `request.out`, each complete or not
/// at all, and returns the report for stdout: mean curves, areas, labels to the target, and what
/// the paired tests say.
std::string write_study_report(const StudyRequest& request, const std::vector<DataResult>& results);

}  // namespace sluice::study
