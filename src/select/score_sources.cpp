#include "select/score_sources.hpp"

#include "core/error.hpp"
#include "select/score_input.hpp"
#include "select/similar_to.hpp"

namespace sluice::select {
namespace {

constexpr std::string_view column_prefix = "column:";

// A column or the cost, as numbers.
ScoreSource number_source(const pool::Pool& pool, const std::string& name) {
    ScoreSource source;
    source.name = name;
    source.role =
        name.starts_with(column_prefix) ? "columns/" + name.substr(column_prefix.size()) : name;
    const pool::Dataset& dataset = pool.get(source.role, "score '" + name + "'");
    require(dataset.type != pool::ElementType::text, ExitCode::bad_data,
            pool::location_text(dataset, 0) + ": holds text, which is no score; name a column of " +
                "numbers");
    return source;
}

ScoreSource similarity_source(const pool::Pool& pool, const PlanRequest& request) {
    require(request.similar != nullptr, ExitCode::usage,
            "--score: 'similarity' lacks the vectors that rows are to be like; give --similar-to "
            "FILE");
    ScoreSource source;
    source.name = similarity_name;
    source.input = kernels::ScoreInput::features;
    const pool::Dataset& features = pool.get("features", "--similar-to");
    source.role = features.role;
    require(features.row_elements() == request.similar->dim, ExitCode::bad_data,
            request.similar->path + ": holds vectors of " + std::to_string(request.similar->dim) +
                " numbers, but " + pool::location_text(features, 0) + " has " +
                std::to_string(features.row_elements()) + "; give vectors of the pool's width");
    return source;
}

// An expression may hold scores that cannot be computed from the `--input` meant for others.
std::string input_for(const kernels::ScoreDefinition& score, const pool::Pool& pool,
                      const Plan& plan, const PlanRequest& request) {
    if (plan.score.is_plain()) return request.input;
    return choose_input(pool, score, request.input).reason.empty() ? request.input : "auto";
}

// The nets of the model that predict losses.
std::shared_ptr<const kernels::CommitteeNetwork> loss_network(const pool::Pool& pool,
                                                              const Plan& plan,
                                                              const PlanRequest& request,
                                                              const std::string& name) {
    require(request.committee != nullptr, ExitCode::usage,
            "--score " + name + ": reads a model; give --model FILE, trained with --loss-folds");
    require(request.committee->loss_head != nullptr, ExitCode::usage,
            request.model_path + ": has no loss head, which --score " + name +
                " reads; train with --loss-folds K");
    auto network =
        model::run_network(*request.committee->loss_head, plan.backend, request.model_path);
    static_cast<void>(network_features(pool, *network, request.model_path));
    return network;
}

ScoreSource catalog_source(const pool::Pool& pool, const Plan& plan, const PlanRequest& request,
                           const std::string& name) {
    ScoreSource source;
    source.name = name;
    source.score = &find_catalog_score(name);
    if (source.score->feature_score != nullptr) {
        source.input = kernels::ScoreInput::features;
        source.role = pool.get("features", "score '" + name + "'").role;
        if (source.score->feature_score->needs_losses)
            source.losses = loss_network(pool, plan, request, name);
        return source;
    }
    const kernels::ScoreDefinition& score = *source.score->row_score;
    const InputChoice choice =
        plan.network ? require_network_input(pool, score, *plan.network, request.model_path)
                     : require_input(pool, score, input_for(score, pool, plan, request));
    source.input = choice.input;
    source.role = choice.role;
    return source;
}

}  // namespace

std::vector<ScoreSource> choose_sources(const pool::Pool& pool, const Plan& plan,
                                        const PlanRequest& request) {
    std::vector<ScoreSource> sources;
    for (const std::string& name : plan.score.sources) {
        if (name == similarity_name) {
            sources.push_back(similarity_source(pool, request));
            continue;
        }
        const bool is_number = name == "cost" || name.starts_with(column_prefix);
        sources.push_back(is_number ? number_source(pool, name)
                                    : catalog_source(pool, plan, request, name));
    }
    return sources;
}

ScoreVerdict judge_score(const pool::Pool& pool, const CatalogScore& score) {
    if (score.row_score != nullptr) {
        const InputChoice choice = choose_input(pool, *score.row_score, "auto");
        if (!choice.reason.empty()) return {false, choice.reason};
        return {true, choice.role.empty() ? "" : "reads " + choice.role};
    }
    if (score.feature_score != nullptr) {
        if (pool.find("features") == nullptr)
            return {false, "needs features [N,D]; name them with --features PATH"};
        return {true, score.feature_score->needs_losses ? "reads features and a model's loss head"
                                                        : "reads features"};
    }
    ScoreVerdict verdict{true, "reads"};
    for (const std::string& factor : score.factors) {
        const ScoreVerdict one = judge_score(pool, find_catalog_score(factor));
        if (!one.is_possible) return one;
        verdict.text += (verdict.text == "reads" ? " " : " and ") + one.text.substr(6);
    }
    return verdict;
}

}  // namespace sluice::select
