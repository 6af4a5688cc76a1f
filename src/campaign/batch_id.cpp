#include "campaign/batch_id.hpp"

#include "core/sha256.hpp"
#include "core/text.hpp"
#include "kernels/score_rows.hpp"
#include "select/two_stage.hpp"

#include <nlohmann/json.hpp>

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

std::string batch_id(const SelectRequest& request, const std::string& pool_fingerprint,
                     const select::TakenRows& taken, const std::string& model) {
    nlohmann::ordered_json science;
    science["format"] = "sluice-batch-1";
    science["pool"] = pool_fingerprint;
    science["labeled"] = rows_hash(taken.centers);
    science["score"] = kernels::find_score(request.score).name;
    science["input"] = request.input;
    science["diversify"] = select::find_diversity(request.diversity).name;
    science["metric"] = request.metric;
    science["batch"] = request.batch_size;
    science["shortlist"] = request.shortlist_size;
    science["seed"] = request.seed;
    science["round"] = request.round;
    science["bad_rows"] = request.bad_rows == select::BadRows::skip ? "skip" : "refuse";
    // Only where they are used: batches without them keep their ids.
    if (!taken.held_out.empty()) science["held_out"] = rows_hash(taken.held_out);
    if (!model.empty()) science["model"] = model;
    if (request.copies == select::Copies::drop) science["distinct"] = true;
    if (request.trust != select::TrustLevels()) {
        science["trust"] = {number_text(request.trust.low), number_text(request.trust.high)};
    }
    if (request.batch_cost > 0.0) science["batch_cost"] = request.batch_cost;
    return sha256_hex(science.dump()).substr(0, batch_id_digits);
}

}  // namespace sluice::campaign
