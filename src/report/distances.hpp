#pragma once

#include "model/training_set.hpp"
#include "pool/pool.hpp"
#include "report/report_data.hpp"
#include "report/sampled_rows.hpp"

namespace sluice::report {

/// Fills in, by Euclidean distance in the features, which rows of the sample are farthest from
/// every labeled one, and how near the test rows (may be null) are to the pool. Looks at fewer rows
/// of the sample, evenly spaced, where all would take more than seconds. For rank 0.
void describe_distances(const pool::Pool& pool, const SampledRows& sample,
                        const model::TrainingSet* test, ReportData& data);

}  // namespace sluice::report
