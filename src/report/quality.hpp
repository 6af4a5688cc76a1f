#pragma once

#include "model/training_set.hpp"
#include "report/report_data.hpp"

namespace sluice::report {

/// Fills in data.quality: the test metric of every round of every arm as recorded, and, where the
/// labels of the test rows are given, how sure it is. The intervals come from the test rows: row i
/// moves a mean of squares by e_i^2 - mean and so its root by (e_i^2 - mean) / (2 root); arms are
/// compared on the same rows, over all rounds in which they differ. They say nothing of how lucky
/// the one campaign and its one random arm were. What cannot be read becomes a gap. For rank 0.
/// \source van der Vaart, "Asymptotic Statistics" (1998), chapter 3 (delta method).
void judge_quality(const model::TrainingSet* test, ReportData& data);

}  // namespace sluice::report
