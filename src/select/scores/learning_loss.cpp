#include "core/error.hpp"
#include "kernels/canonical_math.hpp"
#include "select/scores/feature_scores.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace sluice::select {
namespace {

constexpr std::int64_t rows_at_once = 256;
constexpr float largest_log = 80.0F;  // its power is a float, and so is one over it

/// e^mean of what the members of a loss head say.
class PredictedLoss : public FeatureScore {
  public:
    explicit PredictedLoss(std::shared_ptr<const kernels::CommitteeNetwork> losses)
        : losses_(std::move(losses)) {}

    void score(kernels::MatrixView features, RowId, std::span<float> scores) const override {
        const std::int64_t members = losses_->members();
        thread_local std::vector<float> said;
        said.resize(static_cast<std::size_t>(rows_at_once * members));
        for (std::int64_t begin = 0; begin < features.rows; begin += rows_at_once) {
            const std::int64_t rows = std::min(rows_at_once, features.rows - begin);
            losses_->run(features.row(begin), rows, said.data());
            for (std::int64_t i = 0; i < rows; ++i) {
                const std::span row(features.row(begin + i),
                                    static_cast<std::size_t>(features.dim));
                scores[static_cast<std::size_t>(begin + i)] =
                    is_usable(row)
                        ? loss_of({said.data() + i * members, static_cast<std::size_t>(members)})
                        : std::numeric_limits<float>::quiet_NaN();
            }
        }
    }

  private:
    static float loss_of(std::span<const float> said) {
        double sum = 0.0;
        for (const float log_loss : said)
            sum += static_cast<double>(log_loss);
        const auto mean = static_cast<float>(sum / static_cast<double>(said.size()));
        return kernels::canonical_exp(std::clamp(mean, -largest_log, largest_log));
    }

    std::shared_ptr<const kernels::CommitteeNetwork> losses_;
};

std::unique_ptr<FeatureScore> prepare(const ScorePreparation& from) {
    require(from.losses != nullptr, ExitCode::usage,
            "--score learning_loss: there is no loss head to read; train one with --loss-folds");
    return std::make_unique<PredictedLoss>(from.losses);
}

ScoreForecast nothing(const ScoreSizes&) {
    return {};
}

}  // namespace

// \source Yoo and Kweon, "Learning Loss for Active Learning", CVPR 2019.
FeatureScoreDefinition learning_loss() {
    return {"learning_loss",
            {"predicted_loss"},
            "loss that the model's loss head expects of the label ('sluice train --loss-folds'); "
            "> 0; per length: learning_loss*column:length^-1",
            prepare,
            nothing,
            true};
}

}  // namespace sluice::select
