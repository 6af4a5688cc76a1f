#include "campaign/synthesize.hpp"
#include "cli/batch_options.hpp"
#include "cli/commands.hpp"
#include "cli/numbers.hpp"
#include "cli/pool_options.hpp"
#include "cli/queue_options.hpp"
#include "cli/walltime_options.hpp"
#include "core/text.hpp"
#include "kernels/score_rows.hpp"
#include "select/two_stage.hpp"

#include <limits>
#include <optional>

namespace sluice::cli {
namespace {

constexpr std::uint64_t max_count = std::numeric_limits<std::int32_t>::max();
constexpr std::uint64_t max_rows = std::uint64_t{1} << 48;

std::vector<OptionSpec> climb_options() {
    using Need = OptionSpec::Need;
    return {
        {.name = "model",
         .value_name = "FILE",
         .summary = "model file of 'sluice train' or of an exporter (scripts/export_*.py)",
         .need = Need::required},
        {.name = "score",
         .value_name = "NAME",
         .summary =
             "what makes an input worth a label (listed below), or a sum of products of such",
         .need = Need::required,
         .choices = choices_of(kernels::score_definitions()),
         .names = OptionSpec::Names::some},
        {.name = "ranges",
         .value_name = "FILE",
         .summary = "CSV with the columns name,low,high and, if wanted, unit and scale (none, "
                    "linear or log: how the input becomes a feature), a line for each feature that "
                    "the model reads; or a pool whose inputs declare ranges. Without it, with "
                    "--snap-to, the box that the pool's features lie in"},
        {.name = "starts",
         .value_name = "S",
         .summary = "how many points of the box to climb from",
         .default_text = "1000"},
        {.name = "steps",
         .value_name = "N",
         .summary = "steps that a climb may take",
         .default_text = "200"},
        {.name = "apart",
         .value_name = "X",
         .summary = "of ends that are this near in every input only the best is kept; 0 = all that "
                    "are not equal",
         .unit = "shares of the ranges",
         .default_text = "0.01"},
        {.name = "out",
         .value_name = "FILE",
         .summary = "the pool file of the ends to write",
         .need = Need::required},
        {.name = "seed",
         .value_name = "S",
         .summary = "seed of the starts, 0 to 2^64-1",
         .default_text = "0"},
        {.name = "round",
         .value_name = "R",
         .summary = "number of the round: other rounds have other starts",
         .default_text = "1"},
    };
}

std::vector<OptionSpec> batch_options() {
    return {
        {.name = "batch",
         .value_name = "B",
         .summary = "how many of the ends to choose, for --queue or --selected",
         .unit = "rows",
         .aliases = {"batch-size"}},
        diversify_option("how they are chosen (listed below)"),
        metric_option(),
        shortlist_option("ends with the best scores that the batch is chosen from; auto = 10 x B"),
        target_queue_option(),
        {.name = "selected",
         .value_name = "FILE",
         .summary = "also write the batch as CSV (rank,row,id,score,distance,reason,nearest,"
                    "nearest_distance)"},
        {.name = "snap-to",
         .value_name = "FILE",
         .summary = "a pool's HDF5 files: the batch is of its rows, for each end chosen the "
                    "nearest that is not labeled, issued or taken; `distance` is then that between "
                    "both",
         .kind = OptionSpec::Kind::list},
        {.name = "append-to",
         .value_name = "FILE",
         .summary = "a pool's HDF5 files, with features and inputs alone, that --out continues: "
                    "the ends are rows behind its rows, so that one queue and one labels directory "
                    "can hold both. Give the new file last wherever the pool is given next",
         .kind = OptionSpec::Kind::list},
        {.name = "labels",
         .value_name = "PATH",
         .summary = "labels file or directory of that pool, whose rows are never chosen"},
        {.name = "held-out",
         .value_name = "PATH",
         .summary = "likewise the rows that models are tested on"},
        bad_rows_option("rows of that pool"),
        new_pool_option(),
        ticket_items_option(),
        {.name = "tag",
         .value_name = "NAME",
         .summary = "only workers with this tag take the batch"},
        json_option(),
    };
}

std::vector<OptionSpec> machine_options() {
    return {threads_option(), device_option(), memory_option("ends, buffers and the shortlist"),
            config_option()};
}

CommandSpec make_spec() {
    CommandSpec spec;
    spec.name = "synthesize";
    spec.summary = "propose inputs that a model's committee has most to learn from";
    spec.usage =
        "--model FILE --score NAME [--ranges FILE] --out FILE [--batch B --queue DIR] "
        "[OPTIONS]";
    spec.details =
        "Climbs to inputs of high score from many starts in a box, by scores at a stencil and "
        "along the gradient it shows, and writes the ends as a pool file: `features`, `inputs`, "
        "`ids` and the columns score, start_score, start. With --queue it also publishes a batch "
        "of them, as 'select' does from that file. Such a file has rows of its own, so that queue "
        "and "
        "labels must be its own too, and no model can be trained on both; --append-to makes them "
        "rows of a pool that there is. This is for models whose features are the inputs, as they "
        "are or "
        "scaled (see --ranges; 'pool make amplifier' is such a pool). Where features are computed "
        "from inputs, as for 'pool make water-dimer', no input belongs to a proposal: give "
        "--snap-to POOL, which issues the pool's nearest rows. The bytes are "
        "the same for any number of ranks and threads.";
    for (const auto& group :
         {climb_options(), batch_options(), walltime_options(), machine_options()})
        spec.options.insert(spec.options.end(), group.begin(), group.end());
    return spec;
}

void read_plan(const Options& options, select::PlanRequest& plan) {
    plan.score = options.text("score");
    plan.diversity = options.text("diversify");
    plan.metric = options.text("metric");
    plan.model_path = options.text("model");
    plan.shortlist_size = options.count_or_auto("shortlist", {1, max_rows}).value_or(0);
    plan.seed = options.seed("seed");
    plan.round = static_cast<std::uint32_t>(
        options.count("round", {1, std::numeric_limits<std::uint32_t>::max()}));
    plan.bad_rows = bad_rows(options);
    plan.num_threads = num_threads(options);
    plan.device = device_choice(options);
    plan.memory_gib = options.positive_number("memory");
}

void read_batch(const Options& options, campaign::SelectRequest& request) {
    read_publishing(options, request);
    if (options.has("labels")) request.labels = {{options.text("labels")}};
    if (options.has("held-out")) request.held_out_labels = {{options.text("held-out")}};
    const bool goes_somewhere = !request.queue_directory.empty() || !request.selected_path.empty();
    require(goes_somewhere == options.has("batch"), ExitCode::usage,
            goes_somewhere
                ? "--batch B: missing; say how many of the ends to choose"
                : "--queue DIR: missing; say where the batch goes, or leave out --batch");
    require(goes_somewhere || !options.has("snap-to"), ExitCode::usage,
            "--snap-to: nowhere to put the batch; give --batch and --queue DIR or --selected FILE");
    for (const std::string name : {"labels", "held-out"}) {
        if (options.has(name) && request.pool.files.empty())
            options.fail(name,
                         "only rows of a pool can be labeled; give it with --snap-to or "
                         "--append-to");
    }
    if (!goes_somewhere) return;
    request.plan.batch_size = options.count("batch", {1, max_count});
    if (request.plan.shortlist_size != 0 && request.plan.shortlist_size < request.plan.batch_size)
        options.fail("shortlist", "smaller than the batch; give at least --batch");
}

double apart_of(const Options& options) {
    const std::optional<double> value = parse_number(options.text("apart"));
    if (!value || *value < 0.0 || *value > 1.0) {
        options.fail("apart", "not a share of the ranges (" + printable(options.text("apart")) +
                                  "); give a number from 0 to 1");
    }
    return *value;
}

void read_rows(const Options& options, campaign::SynthesisRequest& request) {
    using Rows = campaign::SynthesisRequest::Rows;
    if (options.has("append-to")) {
        if (options.has("snap-to"))
            options.fail("append-to", "the ends cannot be rows and give way to rows (--snap-to)");
        request.rows = Rows::behind_pool;
        request.select.pool.files = options.texts("append-to");
    } else if (options.has("snap-to")) {
        request.rows = Rows::nearest;
        request.select.pool.files = options.texts("snap-to");
    }
}

campaign::SynthesisRequest read_request(const Options& options) {
    campaign::SynthesisRequest request;
    request.ranges_path = options.text("ranges");
    request.out_path = options.text("out");
    request.num_starts = options.count("starts", {1, max_count});
    request.most_steps = options.count("steps", {1, max_count});
    request.apart = apart_of(options);
    read_rows(options, request);
    require(
        !request.ranges_path.empty() || request.rows == campaign::SynthesisRequest::Rows::nearest,
        ExitCode::usage,
        "--ranges FILE: missing; say what each input may be, or give --snap-to POOL, whose "
        "features then say it");
    request.json_path = options.text("json");
    read_plan(options, request.select.plan);
    read_batch(options, request.select);
    return request;
}

}  // namespace

Command synthesize_command() {
    return {make_spec(), [](const Options& options) {
                const campaign::SynthesisRequest request = read_request(options);
                heed_walltime(options);
                return
                    [request](comm::Communicator& world) { campaign::synthesize(request, world); };
            }};
}

}  // namespace sluice::cli
