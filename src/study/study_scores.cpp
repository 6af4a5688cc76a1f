#include "study/study_scores.hpp"

#include "comm/communicator.hpp"
#include "core/error.hpp"
#include "kernels/random_score.hpp"
#include "select/feature_score.hpp"
#include "select/score_catalog.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace sluice::study {
namespace {

// The rows' features by index.
class MemoryFeatures : public select::FeatureTable {
  public:
    explicit MemoryFeatures(const ChoiceRows& rows) : rows_(rows) {}

    RowId num_rows() const override { return std::ssize(rows_.rows); }
    std::int64_t dim() const override { return rows_.dim; }
    void read(RowRange rows, std::span<float> out) const override {
        std::copy_n(rows_.features.begin() + rows.begin * rows_.dim, rows.size() * rows_.dim,
                    out.begin());
    }
    void gather(std::span<const RowId> rows, std::span<float> out) const override {
        for (std::size_t i = 0; i < rows.size(); ++i)
            read({rows[i], rows[i] + 1}, out.subspan(i * static_cast<std::size_t>(rows_.dim)));
    }
    std::string location(RowId row) const override {
        return "features[" + std::to_string(rows_.rows[static_cast<std::size_t>(row)]) + "]";
    }

  private:
    const ChoiceRows& rows_;
};

void score_features(const ChoiceRows& rows, const select::FeatureScoreDefinition& definition,
                    const ScoringState& state, std::span<float> scores) {
    const MemoryFeatures features(rows);
    comm::Communicator alone;
    const auto score =
        definition.prepare({features, state.labeled, state.seed, 1, alone, kernels::Backend::cpu,
                            state.losses, state.round, state.batch_size});
    score->score({rows.features.data(), features.num_rows(), rows.dim}, 0, scores);
}

void compute_source(const ChoiceRows& rows, const std::string& source, const ScoringState& state,
                    std::span<float> scores) {
    if (source == "random") {
        const kernels::RandomScore random{state.seed, state.round};
        std::transform(rows.rows.begin(), rows.rows.end(), scores.begin(), random);
    } else if (source == "cost") {
        std::fill(scores.begin(), scores.end(), 1.0F);
        std::copy(rows.cost.begin(), rows.cost.end(), scores.begin());
    } else {
        const select::CatalogScore& score = select::find_catalog_score(source);
        if (score.feature_score != nullptr)
            return score_features(rows, *score.feature_score, state, scores);
        const auto count = static_cast<RowId>(rows.rows.size());
        kernels::make_committee_scorer(kernels::Backend::cpu, state.network, *score.row_score)
            ->score({rows.features.data(), {0, count}, 1, rows.dim, kernels::ScoreInput::features},
                    scores);
    }
}

void check_scores(const ChoiceRows& rows, const std::string& name, std::span<const float> scores) {
    for (std::size_t i = 0; i < scores.size(); ++i) {
        require(std::isfinite(scores[i]), ExitCode::bad_data,
                "the " + name + " of row " + std::to_string(rows.rows[i]) +
                    " is not a number: training has diverged (lower --learning-rate), features are "
                    "too large, or a power is not defined");
    }
}

}  // namespace

void score_rows(const ChoiceRows& rows, const select::ScoreExpression& score,
                const ScoringState& state, std::span<float> scores) {
    std::vector<std::vector<float>> sources;
    std::vector<const float*> values;
    for (const std::string& source : score.sources) {
        compute_source(rows, source, state, sources.emplace_back(scores.size()));
        check_scores(rows, source, sources.back());
        values.push_back(sources.back().data());
    }
    if (score.is_plain()) {
        std::copy(sources.front().begin(), sources.front().end(), scores.begin());
        return;
    }
    select::combine_scores(score, values, scores);
    check_scores(rows, score.text, scores);
}

}  // namespace sluice::study
