#include "campaign/predict_pool.hpp"
#include "cli/batch_options.hpp"
#include "cli/commands.hpp"
#include "cli/launch.hpp"
#include "cli/pool_options.hpp"
#include "cli/walltime_options.hpp"
#include "core/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sluice::cli {
namespace {

constexpr std::uint64_t max_rows = std::uint64_t{1} << 48;

std::vector<OptionSpec> file_options() {
    using Need = OptionSpec::Need;
    return {
        {.name = "pool",
         .value_name = "FILE",
         .summary = "the pool's HDF5 files, in row order",
         .kind = OptionSpec::Kind::list,
         .need = Need::required},
        {.name = "features",
         .value_name = "PATH",
         .summary = "dataset in the files that the model reads",
         .default_text = "/features"},
        {.name = "model",
         .value_name = "FILE",
         .summary = "model file of 'sluice train' or of an exporter (scripts/export_*.py)",
         .need = Need::required},
        {.name = "out",
         .value_name = "FILE",
         .summary = "the pool file to write",
         .need = Need::required},
        {.name = "bad-rows",
         .value_name = "WHAT",
         .summary = "what to do about rows of which the model says nothing finite; skip writes NaN "
                    "for them, which 'select --bad-rows skip' passes over",
         .default_text = "refuse",
         .choices = {{"refuse"}, {"skip"}}},
    };
}

std::vector<OptionSpec> machine_options() {
    return {threads_option(), device_option(), memory_option("buffers"),
            block_rows_option("files and memory"), config_option()};
}

CommandSpec make_spec() {
    CommandSpec spec;
    spec.name = "predict";
    spec.summary = "write what a model says of every row of a pool";
    spec.usage = "--pool FILE... --model FILE --out FILE [OPTIONS]";
    spec.details =
        "Streams the features once and writes a pool file of as many rows: of a classifier "
        "`committee` [N,M,C] as logits, or with one member `probabilities` [N,C] as logits; of a "
        "regression `predictions` [N,M,T], and `variances` where the model predicts them. The "
        "bytes are the same for any number of ranks and threads. The file appears under its name "
        "when it is complete. 'select --model' needs no such file: it scores the same numbers "
        "without storing them.";
    for (const auto& group : {file_options(), walltime_options(), machine_options()})
        spec.options.insert(spec.options.end(), group.begin(), group.end());
    return spec;
}

campaign::PredictRequest read_request(const Options& options) {
    campaign::PredictRequest request;
    request.pool.files = options.texts("pool");
    if (options.text("features") != "/features")
        request.pool.datasets["features"] = options.text("features");
    request.model_path = options.text("model");
    request.output_path = options.text("out");
    request.bad_rows = bad_rows(options);
    request.num_threads = num_threads(options);
    request.device = device_choice(options);
    request.memory_gib = options.positive_number("memory");
    request.block_rows = options.count_or_auto("block-rows", {1, max_rows}).value_or(0);
    return request;
}

std::string predicted_text(const campaign::PredictRequest& request,
                           const campaign::PredictResult& result) {
    const std::string skipped =
        result.num_skipped == 0 ? "" : ", " + count_text(result.num_skipped) + " of them NaN";
    return fmt::format("{}: {} rows{}, {} (model {})\n", printable(request.output_path),
                       count_text(result.num_rows), skipped, fmt::join(result.datasets, ", "),
                       result.model_hash.substr(0, 16));
}

}  // namespace

Command predict_command() {
    return {make_spec(), [](const Options& options) {
                const campaign::PredictRequest request = read_request(options);
                heed_walltime(options);
                return [request](comm::Communicator& world) {
                    const campaign::PredictResult result = campaign::predict_pool(request, world);
                    if (world.is_root()) print_result(predicted_text(request, result));
                };
            }};
}

}  // namespace sluice::cli
