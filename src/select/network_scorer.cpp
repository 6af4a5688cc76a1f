#include "select/network_scorer.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "select/score_catalog.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace sluice::select {
namespace {

// Several scores of a committee, put together as an expression says.
class ExpressionScorer : public kernels::Scorer {
  public:
    ExpressionScorer(ScoreExpression expression,
                     std::vector<std::unique_ptr<kernels::Scorer>> sources)
        : expression_(std::move(expression)), sources_(std::move(sources)) {}

    void score(const kernels::ScoreBlock& block, std::span<float> scores) const override {
        std::vector<std::vector<float>> values;
        std::vector<const float*> views;
        for (const auto& source : sources_) {
            values.emplace_back(scores.size());
            source->score(block, values.back());
        }
        for (const std::vector<float>& value : values)
            views.push_back(value.data());
        combine_scores(expression_, views, scores);
    }

  private:
    ScoreExpression expression_;
    std::vector<std::unique_ptr<kernels::Scorer>> sources_;
};

// The score that a quantity stands for, if a model alone decides it.
const kernels::ScoreDefinition& score_of_model(const std::string& name) {
    const std::string begin = "--score: '" + printable(name) + "' ";
    require(name != "cost" && !name.starts_with("column:"), ExitCode::usage,
            begin +
                "is read of a pool's rows, which inputs yet to be proposed are not; use scores "
                "of the model alone");
    const CatalogScore& score = find_catalog_score(name);
    require(score.row_score != nullptr, ExitCode::usage,
            begin + "is prepared from a pool's rows; use scores of the model alone");
    const std::vector<kernels::ScoreInput>& inputs = score.row_score->inputs;
    require(std::count(inputs.begin(), inputs.end(), kernels::ScoreInput::none) == 0,
            ExitCode::usage,
            begin + "reads no model, so no input is better than another; choose another score");
    return *score.row_score;
}

}  // namespace

std::unique_ptr<kernels::Scorer> make_network_scorer(
    const ScoreExpression& expression, std::shared_ptr<const kernels::CommitteeNetwork> network,
    kernels::Backend backend) {
    std::vector<std::unique_ptr<kernels::Scorer>> sources;
    for (const std::string& name : expression.sources)
        sources.push_back(kernels::make_committee_scorer(backend, network, score_of_model(name)));
    if (expression.is_plain()) return std::move(sources.front());
    return std::make_unique<ExpressionScorer>(expression, std::move(sources));
}

}  // namespace sluice::select
