#include "campaign/batch_id.hpp"

#include "core/sha256.hpp"
#include "core/text.hpp"
#include "select/score_expression.hpp"
#include "select/two_stage.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <span>
#include <vector>

namespace sluice::campaign {
namespace {

std::string rows_hash(const std::vector<RowId>& rows) {
    Sha256 hash;
    hash.update(std::as_bytes(std::span(rows)));
    return hash.hex_digest();
}

}  // namespace

std::string batch_id(const SelectRequest& request, const ScienceHashes& hashes,
                     const select::TakenRows& taken) {
    nlohmann::ordered_json science;
    science["format"] = "sluice-batch-1";
    science["pool"] = hashes.pool;
    science["labeled"] = rows_hash(taken.centers);
    science["score"] = select::canonical_score(request.plan.score);
    science["input"] = request.plan.input;
    science["diversify"] = select::find_diversity(request.plan.diversity).name;
    science["metric"] = request.plan.metric;
    science["batch"] = request.plan.batch_size;
    science["shortlist"] = request.plan.shortlist_size;
    science["seed"] = request.plan.seed;
    science["round"] = request.plan.round;
    science["bad_rows"] = request.plan.bad_rows == select::BadRows::skip ? "skip" : "refuse";
    // Only where they are used: batches without them keep their ids.
    if (!taken.held_out.empty()) science["held_out"] = rows_hash(taken.held_out);
    if (!hashes.model.empty()) science["model"] = hashes.model;
    if (!hashes.predictions.empty()) science["predictions"] = hashes.predictions;
    if (!hashes.similar.empty()) science["similar_to"] = hashes.similar;
    if (request.plan.copies == select::Copies::drop) science["distinct"] = true;
    if (!std::isnan(request.plan.distinct_within))
        science["distinct_within"] = request.plan.distinct_within;
    if (request.plan.min_distance > 0.0) science["min_distance"] = request.plan.min_distance;
    if (request.plan.random_share > 0.0) science["random_share"] = request.plan.random_share;
    if (request.plan.class_mix.kind != select::ClassMix::Kind::none) {
        science["class_by"] = select::parse_class_rule(request.plan.class_by).text;
        science[request.plan.class_mix.is_quota() ? "quota" : "balance"] =
            request.plan.class_mix.text();
    }
    for (const select::Balance& balance : request.plan.balances)
        science["balances"].push_back(balance.text());
    if (request.plan.weights == select::Weights::not_negative) science["weights"] = "not negative";
    if (request.plan.trust != select::TrustLevels()) {
        science["trust"] = {number_text(request.plan.trust.low),
                            number_text(request.plan.trust.high)};
    }
    const select::Randomization noise = select::parse_randomization(request.plan.randomize);
    if (noise.kind != select::Randomization::Kind::none) science["randomize"] = noise.text();
    if (request.plan.price == select::Price::divides_score) science["per_cost"] = true;
    if (!request.plan.conditions.empty())
        science["where"] =
            select::conditions_text(select::parse_conditions(request.plan.conditions));
    const select::DiversityParameters& numbers = request.plan.diversity_parameters;
    if (!std::isnan(numbers.strength)) science["strength"] = numbers.strength;
    if (!std::isnan(numbers.sigma)) science["sigma"] = numbers.sigma;
    if (!std::isnan(numbers.radius)) science["radius"] = numbers.radius;
    if (request.plan.diversify_on != "features")
        science["diversify_on"] = request.plan.diversify_on;
    if (request.plan.sketch_dim > 0) science["sketch_dim"] = request.plan.sketch_dim;
    if (select::parse_item_rule(request.plan.items).has_items())
        science["groups"] = request.plan.items;
    if (request.plan.batch_instances > 0) science["batch_instances"] = request.plan.batch_instances;
    if (request.plan.batch_cost > 0.0) science["batch_cost"] = request.plan.batch_cost;
    if (!request.origin.empty()) science["origin"] = request.origin;
    return sha256_hex(science.dump()).substr(0, batch_id_digits);
}

}  // namespace sluice::campaign
