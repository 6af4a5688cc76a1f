#include "select/feature_rows.hpp"

#include "core/error.hpp"
#include "core/partition.hpp"
#include "core/text.hpp"
#include "select/in_parallel.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace sluice::select {
namespace {

constexpr float largest_squared_norm = std::numeric_limits<float>::max() / 8.0F;

float squared_norm(const float* row, std::int64_t dim) {
    // Four chains: a check, not a distance, so its rounding decides nothing but how near to
    // overflow a row may come.
    float sum[4] = {};
    for (std::int64_t k = 0; k < dim; ++k)
        sum[k % 4] += row[k] * row[k];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// Refuses or marks bad rows; returns which of `rows` are in order.
std::vector<char> check_rows(const pool::Dataset& features, const Plan& plan,
                             const std::string& what, FeatureRows& result) {
    std::vector<char> good(result.rows.size(), 1);
    for (std::size_t i = 0; i < result.rows.size(); ++i) {
        const float* row = result.values.data() + static_cast<std::int64_t>(i) * result.dim;
        const std::string wrong = why_no_distances(row, result.dim, plan.metric);
        if (wrong.empty()) continue;
        require(plan.bad_rows == BadRows::skip, ExitCode::bad_data,
                pool::location_text(features, result.rows[i]) + ": " + what + wrong);
        good[i] = 0;
        ++result.num_dropped;
    }
    return good;
}

void drop_bad_rows(const std::vector<char>& good, FeatureRows& result) {
    if (result.num_dropped == 0) return;
    std::size_t kept = 0;
    const auto dim = static_cast<std::size_t>(result.dim);
    for (std::size_t i = 0; i < good.size(); ++i) {
        if (good[i] == 0) continue;
        result.rows[kept] = result.rows[i];
        std::copy_n(result.values.begin() + static_cast<std::ptrdiff_t>(i * dim), dim,
                    result.values.begin() + static_cast<std::ptrdiff_t>(kept * dim));
        ++kept;
    }
    result.rows.resize(kept);
    result.values.resize(kept * dim);
}

}  // namespace

std::string why_no_distances(const float* row, std::int64_t dim, Metric metric) {
    const float norm = squared_norm(row, dim);
    if (norm <= largest_squared_norm && (norm > 0.0F || metric == Metric::euclidean)) return {};
    for (std::int64_t k = 0; k < dim; ++k) {
        if (!std::isfinite(row[k])) {
            return "feature " + std::to_string(k) + " is " + number_text(row[k]) +
                   " (must be finite); repair the row or pass --bad-rows skip";
        }
    }
    if (norm > largest_squared_norm) {
        const float largest = std::fabs(*std::max_element(
            row, row + dim, [](float a, float b) { return std::fabs(a) < std::fabs(b); }));
        return "features as large as " + number_text(largest) +
               " overflow a squared distance in float32; scale the features, e.g. to unit variance";
    }
    return "all features are 0, which has no direction for --metric cosine; repair the row or pass "
           "--bad-rows skip";
}

FeatureRows read_features(const pool::Dataset& features, const pool::RowReader& reader,
                          const Plan& plan, std::vector<RowId> rows) {
    FeatureRows result;
    result.rows = std::move(rows);
    result.dim = features.row_elements();
    result.values.resize(result.rows.size() * static_cast<std::size_t>(result.dim));
    in_parallel(plan.num_threads, [&](int part) {
        const RowRange share =
            part_of_rows(static_cast<RowId>(result.rows.size()), part, plan.num_threads);
        pool::RowReader::Scratch scratch;
        reader.gather(std::span(result.rows)
                          .subspan(static_cast<std::size_t>(share.begin),
                                   static_cast<std::size_t>(share.size())),
                      std::span(result.values)
                          .subspan(static_cast<std::size_t>(share.begin * result.dim),
                                   static_cast<std::size_t>(share.size() * result.dim)),
                      scratch);
    });
    settle_features(features, plan, "", result);
    return result;
}

void settle_features(const pool::Dataset& features, const Plan& plan, const std::string& what,
                     FeatureRows& rows) {
    drop_bad_rows(check_rows(features, plan, what, rows), rows);
    if (plan.metric == Metric::cosine) {
        kernels::normalize_rows(rows.values.data(), static_cast<std::int64_t>(rows.rows.size()),
                                rows.dim);
    }
}

}  // namespace sluice::select
