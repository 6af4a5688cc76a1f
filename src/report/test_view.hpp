#pragma once

#include "model/training_set.hpp"
#include "report/report_data.hpp"

namespace sluice::report {

/// Fills in data.test: the last model of the campaign's own arm on the test rows. Classes: a
/// reliability diagram (15 equal bins of the largest probability) and the expected calibration
/// error. Numbers: each target against its prediction and, for one target, the members' deviation
/// against the error in up to 10 bins of equally many rows, with the expected normalised
/// calibration error, the mean over bins of |error - deviation| / deviation.
/// \source Guo et al., "On Calibration of Modern Neural Networks", ICML 2017; Levi et al.,
///         "Evaluating and Calibrating Uncertainty Prediction in Regression Tasks", Sensors 22
///         (2022), equation 8.
/// For rank 0.
void view_test(const model::TrainingSet& test, ReportData& data);

}  // namespace sluice::report
