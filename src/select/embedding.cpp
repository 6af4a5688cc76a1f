#include "select/embedding.hpp"

#include "core/error.hpp"
#include "core/partition.hpp"
#include "core/text.hpp"
#include "select/embedding/makers.hpp"
#include "select/in_parallel.hpp"
#include "select/member_probabilities.hpp"
#include "select/score_input.hpp"

#include <algorithm>
#include <span>

namespace sluice::select {
namespace {

constexpr std::int64_t usual_sketch_dim = 512;
constexpr std::int64_t chunk_rows = 64;  // embedded at once by a thread

std::string option_text(DiversifyOn on) {
    return "--diversify-on " + diversify_on_name(on);
}

SketchLength sketch_length(const EmbeddingRule& rule, std::int64_t from) {
    std::int64_t to = rule.sketch_dim;
    require(to < from, ExitCode::usage,
            "--sketch-dim: " + option_text(rule.on) + " has vectors of " + count_text(from) +
                " numbers, and a sketch of " + count_text(to) +
                " is no shorter; give less or leave it out");
    if (to == 0) to = needs_model(rule.on) ? std::min(usual_sketch_dim, from) : from;
    return {from, to, rule.seed};
}

Sketch sketch_of(const EmbeddingRule& rule, std::int64_t from) {
    const SketchLength length = sketch_length(rule, from);
    return Sketch(length.from, length.to, length.seed);
}

std::unique_ptr<Embedder> embed_sayings(const EmbeddingRule& rule, const Sayings& sayings,
                                        const std::string& where) {
    require(sayings.members > 1, ExitCode::usage,
            option_text(rule.on) + ": " + where +
                " has one member, which deviates from nothing; give a committee or choose "
                "gradients or features");
    return covariance_embedder(sayings, sketch_of(rule, sayings.members * sayings.counted()));
}

// The committee or the predictions of a pool.
RowEmbedding embed_dataset(const EmbeddingRule& rule, const pool::Pool& pool) {
    RowEmbedding result{rule, pool.find("committee"), nullptr};
    if (result.dataset == nullptr) result.dataset = pool.find("predictions");
    require(result.dataset != nullptr, ExitCode::bad_data,
            option_text(rule.on) +
                ": the pool has neither committee [N,M,C] nor predictions [N,M]; give --model FILE "
                "or name one with --committee PATH");
    Sayings sayings;
    sayings.input = input_of(*result.dataset);
    sayings.members = result.dataset->row_shape.front();
    sayings.outputs = result.dataset->row_elements() / std::max<std::int64_t>(1, sayings.members);
    result.embedder = embed_sayings(rule, sayings, pool::location_text(*result.dataset, 0));
    return result;
}

}  // namespace

const std::vector<DiversifyOnDefinition>& diversify_on_definitions() {
    static const std::vector<DiversifyOnDefinition> definitions = {
        // in the order of DiversifyOn
        {DiversifyOn::features, "features", "the pool's features"},
        {DiversifyOn::covariance, "covariance",
         "the members' deviations from their mean, of the model, or else the pool's committee or "
         "predictions"},
        {DiversifyOn::gradients, "gradients", "gradients of the last layer of --model"},
        {DiversifyOn::all_gradients, "all_gradients", "gradients of all layers of --model"},
    };
    return definitions;
}

DiversifyOn find_diversify_on(const std::string& name) {
    for (const DiversifyOnDefinition& definition : diversify_on_definitions())
        if (definition.name == name) return definition.on;
    throw Error(ExitCode::usage, "--diversify-on: unknown name '" + printable(name) +
                                     "'; choose features, covariance, gradients or all_gradients");
}

const std::string& diversify_on_name(DiversifyOn on) {
    return diversify_on_definitions()[static_cast<std::size_t>(on)].name;
}

bool needs_model(DiversifyOn on) {
    return on == DiversifyOn::gradients || on == DiversifyOn::all_gradients;
}

void check_embedding(const EmbeddingRule& rule, const DiversityDefinition& diversity) {
    if (rule.on == DiversifyOn::features) {
        require(rule.sketch_dim == 0, ExitCode::usage,
                "--sketch-dim: features are not sketched; use it with --diversify-on gradients or "
                "covariance");
        return;
    }
    const std::string begin = option_text(rule.on) + ": --diversify " + diversity.name;
    require(diversity.needs_features, ExitCode::usage,
            begin + " looks at no distances; leave it out or choose another rule");
    require(!diversity.needs_members, ExitCode::usage,
            begin +
                " has its own way from features and class probabilities to a last layer; "
                "leave it out or choose another rule");
}

std::shared_ptr<const Embedder> embed_by_model(
    const EmbeddingRule& rule, const model::Committee& committee,
    const std::shared_ptr<const kernels::CommitteeNetwork>& network, kernels::Backend backend,
    const std::string& where) {
    if (rule.on == DiversifyOn::covariance) {
        return embed_sayings(
            rule, {network, network->output(), network->members(), network->outputs()}, where);
    }
    model::LastLayer layer = model::last_layer(committee, backend, where);
    if (rule.on == DiversifyOn::all_gradients) {
        const std::int64_t size = all_gradients_size(committee);
        return all_gradients_embedder(committee, layer.outputs, sketch_length(rule, size));
    }
    const std::int64_t size = gradient_size(layer);
    return gradient_embedder(std::move(layer), sketch_of(rule, size));
}

std::int64_t RowEmbedding::memory_bytes(int num_threads) const {
    if (embedder == nullptr) return 0;
    const std::int64_t row =
        embedder->row_bytes() + embedder->inputs() * std::int64_t{sizeof(float)};
    return embedder->held_bytes() + num_threads * chunk_rows * 2 * row;
}

RowEmbedding choose_embedding(const pool::Pool& pool, const PlanRequest& request,
                              const Plan& plan) {
    const EmbeddingRule rule{find_diversify_on(request.diversify_on), request.sketch_dim,
                             request.seed};
    check_embedding(rule, find_diversity(plan.diversity));
    if (rule.on == DiversifyOn::covariance && !plan.network) return embed_dataset(rule, pool);
    require(!needs_model(rule.on) || request.committee, ExitCode::usage,
            option_text(rule.on) +
                ": there is no model whose layers to look into; give --model FILE or choose "
                "covariance");
    RowEmbedding result{rule, pool.find("features"), nullptr};
    if (rule.on == DiversifyOn::features) {
        if (plan.diversity != "none") pool.get("features", "--diversify " + plan.diversity);
        return result;
    }
    result.dataset = &network_features(pool, *plan.network, request.model_path);
    result.embedder =
        embed_by_model(rule, *request.committee, plan.network, plan.backend, request.model_path);
    return result;
}

FeatureRows read_embedded(const RowEmbedding& embedding, const pool::RowReader& reader,
                          const Plan& plan, std::vector<RowId> rows) {
    if (embedding.embedder == nullptr)
        return read_features(*embedding.dataset, reader, plan, std::move(rows));
    const Embedder& embedder = *embedding.embedder;
    FeatureRows result;
    result.rows = std::move(rows);
    result.dim = embedder.dim();
    result.values.resize(result.rows.size() * static_cast<std::size_t>(result.dim));
    in_parallel(plan.num_threads, [&](int part) {
        const RowRange share =
            part_of_rows(static_cast<RowId>(result.rows.size()), part, plan.num_threads);
        pool::RowReader::Scratch scratch;
        std::vector<float> values;
        for (RowId begin = share.begin; begin < share.end; begin += chunk_rows) {
            const auto count = static_cast<std::size_t>(std::min(chunk_rows, share.end - begin));
            values.resize(count * static_cast<std::size_t>(embedder.inputs()));
            reader.gather(std::span(result.rows).subspan(static_cast<std::size_t>(begin), count),
                          values, scratch);
            embedder.embed(values, std::span(result.values)
                                       .subspan(static_cast<std::size_t>(begin * result.dim),
                                                count * static_cast<std::size_t>(result.dim)));
        }
    });
    settle_features(*embedding.dataset, plan, option_text(embedding.rule.on) + ": ", result);
    return result;
}

}  // namespace sluice::select
