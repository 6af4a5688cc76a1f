#pragma once

#include "pool/pool.hpp"
#include "report/report_data.hpp"
#include "report/sampled_rows.hpp"

#include <cstdint>
#include <string>

namespace sluice::report {

/// What a report wants to know of the pool: the score of the last batch that a score chose.
SampleTask sample_task(const ReportData& data, std::int64_t most_rows);

/// Fills in data.pool from the sample: map, scores, shares. For rank 0.
void describe_pool(const pool::Pool& pool, const SampledRows& sample, ReportData& data);

/// Which third along each axis a place is in, as 3 * (third of x) + (third of y).
std::size_t region_of(const MapView& map, double x, double y);

/// The share of the sample's scores that are at least `score`; NaN without scores.
double share_above(const ScoreView& view, double score);

}  // namespace sluice::report
