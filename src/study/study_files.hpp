#pragma once

#include "study/study.hpp"
#include "study/study_summary.hpp"

#include <span>
#include <string>
#include <vector>

namespace sluice::study {

/// Every point of every run: data,strategy,seed,round,labels,asked,cost and one column a measure,
/// empty where a data set's task has none. Numbers read back to the same bits.
std::string curves_csv(const StudyRequest& request, const std::vector<DataResult>& results);

/// One line for each data set, measure and arm. `summaries` in the order of the data sets, each
/// with all its task's measures.
std::string summary_csv(const std::vector<DataResult>& results,
                        std::span<const StudySummary> summaries);

/// The same with mean curves, options and version, as JSON.
std::string summary_json(const StudyRequest& request, const std::vector<DataResult>& results,
                         std::span<const StudySummary> summaries);

}  // namespace sluice::study
