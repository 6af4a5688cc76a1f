#include "select/scores/feature_scores.hpp"

#include <cmath>
#include <limits>

namespace sluice::select {
namespace {

class FeatureNorm : public FeatureScore {
  public:
    void score(kernels::MatrixView features, RowId, std::span<float> scores) const override {
        for (std::int64_t i = 0; i < features.rows; ++i) {
            const std::span row(features.row(i), static_cast<std::size_t>(features.dim));
            double squares = 0.0;
            for (const float x : row)
                squares += static_cast<double>(x) * static_cast<double>(x);
            scores[static_cast<std::size_t>(i)] = is_usable(row)
                                                      ? static_cast<float>(std::sqrt(squares))
                                                      : std::numeric_limits<float>::quiet_NaN();
        }
    }
};

std::unique_ptr<FeatureScore> prepare(const ScorePreparation&) {
    return std::make_unique<FeatureNorm>();
}

ScoreForecast nothing(const ScoreSizes&) {
    return {};
}

}  // namespace

FeatureScoreDefinition feature_norm() {
    return {"feature_norm", {"norm"}, "length of the features; >= 0", prepare, nothing};
}

}  // namespace sluice::select
