#include "campaign/synthesize.hpp"
#include "core/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sluice::campaign {
namespace {

using Json = nlohmann::ordered_json;

// The shortest decimal of a float, not of the double it widens to.
Json float_json(float value) {
    return Json::parse(number_text(value));
}

}  // namespace

std::string synthesis_text(const SynthesisRequest& request, const SynthesisResult& result) {
    std::string text = fmt::format(
        "{} starts in {} inputs, {} of {} (model {}), {} steps in the median\n"
        "score at the starts: median {:.6g}, highest {:.6g}; at the ends: median {:.6g}, highest "
        "{:.6g}\n"
        "{} ends on a face of the box, {} after --steps {}\n",
        count_text(request.num_starts), result.dim, request.select.plan.score,
        printable(request.select.plan.model_path), result.model_hash.substr(0, 16),
        result.median_steps, result.start_median, result.start_highest, result.end_median,
        result.end_highest, count_text(result.num_on_faces), count_text(result.num_capped),
        request.most_steps);
    if (result.num_ends < request.num_starts) {
        text += fmt::format("{} starts left out: the model says nothing finite there\n",
                            count_text(request.num_starts - result.num_ends));
    }
    return text +
           fmt::format("{}: {} distinct ends ({} of the ranges apart), climbed in {:.2f} s\n",
                       printable(request.out_path), count_text(result.num_rows), request.apart,
                       result.seconds);
}

std::string synthesis_json(const SynthesisRequest& request, const SynthesisResult& result) {
    Json json;
    json["out"] = request.out_path;
    json["score"] = request.select.plan.score;
    json["model"] = result.model_hash;
    json["seed"] = request.select.plan.seed;
    json["round"] = request.select.plan.round;
    json["inputs"] = result.dim;
    json["starts"] = request.num_starts;
    json["ends"] = result.num_ends;
    json["start_score"] = {{"median", float_json(result.start_median)},
                           {"highest", float_json(result.start_highest)}};
    json["end_score"] = {{"median", float_json(result.end_median)},
                         {"highest", float_json(result.end_highest)}};
    json["on_faces"] = result.num_on_faces;
    json["apart"] = request.apart;
    json["distinct"] = result.num_rows;
    json["median_steps"] = result.median_steps;
    json["capped"] = result.num_capped;
    json["seconds"] = result.seconds;
    if (!result.batch.batch_id.empty()) json["batch"] = result.batch.batch_id;
    if (!result.batch.batch_directory.empty())
        json["batch_directory"] = result.batch.batch_directory;
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sluice::campaign
