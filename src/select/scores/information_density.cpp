#include "core/error.hpp"
#include "core/partition.hpp"
#include "select/in_parallel.hpp"
#include "select/scores/feature_scores.hpp"

#include <cmath>
#include <limits>
#include <mutex>

namespace sluice::select {
namespace {

// Directions are summed in steps of 2^-30, so that the sum is the same in any order; 2^32 rows
// of them fit into 64 bits, and their mean is within 2^-31 of what no rounding would give.
constexpr double steps_per_unit = 0x1p30;
constexpr RowId most_rows = RowId{1} << 32;
constexpr std::int64_t rows_at_once = 1024;

double norm_of(std::span<const float> row) {
    double squares = 0.0;
    for (const float x : row)
        squares += static_cast<double>(x) * static_cast<double>(x);
    return is_usable(row) ? std::sqrt(squares) : 0.0;
}

// The sum of the rows' directions, in steps, and how many rows have one.
struct DirectionSum {
    std::vector<std::int64_t> steps;  // [D]
    std::int64_t rows = 0;

    void add(std::span<const float> row) {
        const double norm = norm_of(row);
        if (norm == 0.0) return;
        for (std::size_t k = 0; k < row.size(); ++k) {
            const double direction = static_cast<double>(row[k]) / norm;
            steps[k] += static_cast<std::int64_t>(std::floor(direction * steps_per_unit + 0.5));
        }
        ++rows;
    }

    void add(const DirectionSum& other) {
        for (std::size_t k = 0; k < steps.size(); ++k)
            steps[k] += other.steps[k];
        rows += other.rows;
    }
};

DirectionSum sum_of_rows(const FeatureTable& features, RowRange rows) {
    const auto dim = static_cast<std::size_t>(features.dim());
    DirectionSum sum{std::vector<std::int64_t>(dim, 0), 0};
    std::vector<float> values;
    for (RowId begin = rows.begin; begin < rows.end; begin += rows_at_once) {
        const RowRange block{begin, std::min(begin + rows_at_once, rows.end)};
        values.resize(static_cast<std::size_t>(block.size()) * dim);
        features.read(block, values);
        for (std::size_t at = 0; at < values.size(); at += dim)
            sum.add(std::span(values).subspan(at, dim));
    }
    return sum;
}

class InformationDensity : public FeatureScore {
  public:
    explicit InformationDensity(std::vector<double> mean) : mean_(std::move(mean)) {}

    void score(kernels::MatrixView features, RowId, std::span<float> scores) const override {
        for (std::int64_t i = 0; i < features.rows; ++i) {
            const std::span row(features.row(i), static_cast<std::size_t>(features.dim));
            const double norm = norm_of(row);
            double product = 0.0;
            for (std::size_t k = 0; k < row.size(); ++k)
                product += static_cast<double>(row[k]) * mean_[k];
            scores[static_cast<std::size_t>(i)] = norm > 0.0
                                                      ? static_cast<float>(product / norm)
                                                      : std::numeric_limits<float>::quiet_NaN();
        }
    }

  private:
    std::vector<double> mean_;  // of all directions
};

std::unique_ptr<FeatureScore> prepare(const ScorePreparation& from) {
    const auto dim = static_cast<std::size_t>(from.features.dim());
    DirectionSum sum{std::vector<std::int64_t>(dim, 0), 0};
    from.world.agree([&] {
        require(from.features.num_rows() <= most_rows, ExitCode::usage,
                "--score information_density: sums at most 2^32 rows");
        const RowRange own =
            part_of_rows(from.features.num_rows(), from.world.rank(), from.world.size());
        std::mutex mutex;
        in_parallel(from.num_threads, [&](int part) {
            RowRange rows = part_of_rows(own.size(), part, from.num_threads);
            rows = {own.begin + rows.begin, own.begin + rows.end};
            const DirectionSum one = sum_of_rows(from.features, rows);
            const std::lock_guard lock(mutex);
            sum.add(one);
        });
    });
    from.world.sum(std::span(sum.steps));
    sum.rows = from.world.sum(sum.rows);
    std::vector<double> mean;
    for (const std::int64_t steps : sum.steps)
        mean.push_back(static_cast<double>(steps) / steps_per_unit /
                       static_cast<double>(std::max<std::int64_t>(sum.rows, 1)));
    return std::make_unique<InformationDensity>(std::move(mean));
}

ScoreForecast forecast(const ScoreSizes& sizes) {
    constexpr std::int64_t bytes =
        rows_at_once * std::int64_t{sizeof(float)} + 3 * std::int64_t{sizeof(double)};
    return {.memory_bytes = bytes * sizes.dim, .num_passes = 1};
}

}  // namespace

FeatureScoreDefinition information_density() {
    return {"information_density",
            {"density_weight", "mean_cosine"},
            "mean cosine of the features and those of all rows of the pool; -1 to 1, a pass more "
            "over the features",
            prepare,
            forecast};
}

}  // namespace sluice::select
