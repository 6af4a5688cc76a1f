#pragma once

#include "study/study.hpp"
#include "study/study_summary.hpp"

namespace sluice::study {

/// Publishes the plots of one data set under one measure: mean curves with the 95 % interval of
/// the mean as a band, the random arm dashed, the target and what all labels give as lines. Nothing
/// for a measure that has no values.
void write_plots(const StudyRequest& request, const DataResult& result,
                 const StudySummary& summary);

}  // namespace sluice::study
