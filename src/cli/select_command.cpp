#include "campaign/select_round.hpp"
#include "campaign/selection_file.hpp"
#include "cli/batch_options.hpp"
#include "cli/commands.hpp"
#include "cli/numbers.hpp"
#include "cli/pool_options.hpp"
#include "cli/select_options.hpp"
#include "cli/walltime_options.hpp"
#include "core/text.hpp"
#include "select/two_stage.hpp"

#include <limits>
#include <optional>

namespace sluice::cli {
namespace {

constexpr std::uint64_t max_count = std::numeric_limits<std::int32_t>::max();
constexpr std::uint64_t max_rows = std::uint64_t{1} << 48;

float score_of(const Options& options, const std::string& name) {
    const std::optional<double> value = parse_number(options.text(name));
    if (!value) {
        options.fail(name, "not a number (" + printable(options.text(name)) + "); give a score");
    }
    return static_cast<float>(*value);
}

// What the registries say of names, as the option's own error.
void check_names(const Options& options) {
    try {
        static_cast<void>(select::parse_score(options.text("score")));
        static_cast<void>(select::parse_randomization(options.text("randomize")));
        static_cast<void>(select::parse_conditions(options.text("where")));
        static_cast<void>(select::parse_item_rule(options.text("groups")));
        static_cast<void>(select::parse_class_rule(options.text("class-by")));
        if (options.has("quota")) static_cast<void>(select::parse_quota(options.text("quota")));
        if (options.has("balance"))
            static_cast<void>(select::parse_balance(options.text("balance")));
    } catch (const Error& error) {
        const std::string what = error.what();
        options.fail(what.substr(2, what.find(": ") - 2), what.substr(what.find(": ") + 2));
    }
}

double number_or_auto(const Options& options, const std::string& name) {
    if (options.text(name) == "auto") return std::numeric_limits<double>::quiet_NaN();
    const std::optional<double> value = parse_number(options.text(name));
    if (!value) {
        options.fail(name,
                     "not a number (" + printable(options.text(name)) + "); give a number or auto");
    }
    return *value;
}

void read_science(const Options& options, campaign::SelectRequest& request) {
    if (options.has("batch")) request.plan.batch_size = options.count("batch", {1, max_count});
    request.plan.score = options.text("score");
    request.plan.randomize = options.text("randomize");
    request.plan.price =
        options.flag("per-cost") ? select::Price::divides_score : select::Price::ignored;
    request.plan.conditions = options.text("where");
    request.plan.items = options.text("groups");
    if (options.has("batch-instances"))
        request.plan.batch_instances =
            static_cast<std::int64_t>(options.count("batch-instances", {1, max_rows}));
    check_names(options);
    request.plan.diversity = options.text("diversify");
    request.plan.diversity_parameters = {number_or_auto(options, "strength"),
                                         number_or_auto(options, "sigma"),
                                         number_or_auto(options, "radius")};
    request.plan.metric = options.text("metric");
    request.plan.diversify_on = options.text("diversify-on");
    request.plan.sketch_dim = options.count_or_auto("sketch-dim", {1, max_count}).value_or(0);
    request.plan.shortlist_size = options.count_or_auto("shortlist", {1, max_rows}).value_or(0);
    request.plan.input = options.text("input");
    if (options.has("max-score")) request.plan.trust.high = score_of(options, "max-score");
    if (options.has("min-score")) request.plan.trust.low = score_of(options, "min-score");
    if (options.has("labels")) request.labels = {{options.text("labels")}};
    if (options.has("held-out")) request.held_out_labels = {{options.text("held-out")}};
    request.plan.model_path = options.text("model");
    request.predictions_path = options.text("predictions-file");
    if (options.has("batch-cost")) request.plan.batch_cost = options.positive_number("batch-cost");
    request.plan.seed = options.seed("seed");
    request.plan.round = static_cast<std::uint32_t>(
        options.count("round", {1, std::numeric_limits<std::uint32_t>::max()}));
}

double distance_of(const Options& options, const std::string& name, double otherwise) {
    if (!options.has(name)) return otherwise;
    const std::optional<double> value = parse_number(options.text(name));
    if (!value || *value < 0.0) {
        options.fail(name,
                     "not a distance (" + printable(options.text(name)) + "); give a number >= 0");
    }
    return *value;
}

void read_parts(const Options& options, campaign::SelectRequest& request) {
    request.exclude_path = options.text("exclude");
    request.similar_path = options.text("similar-to");
    const std::optional<double> share = parse_number(options.text("random-share"));
    if (!share || *share < 0.0 || *share > 1.0) {
        options.fail("random-share", "not a share (" + printable(options.text("random-share")) +
                                         "); give a number from 0 to 1");
    }
    request.plan.random_share = *share;
    request.plan.class_by = options.text("class-by");
    if (options.has("quota") && options.has("balance"))
        options.fail("quota",
                     "cannot be used with --balance: both say how many rows there are of "
                     "each class; give one of the two");
    if (options.has("quota")) request.plan.class_mix = select::parse_quota(options.text("quota"));
    if (options.has("balance"))
        request.plan.class_mix = select::parse_balance(options.text("balance"));
    request.plan.distinct_within = distance_of(options, "distinct-within", select::no_distance);
    request.plan.min_distance = distance_of(options, "min-distance", 0.0);
    request.map_path = options.text("map");
}

// What the selection file says, where the command line does not win over it; the same said twice
// is refused.
void read_selection(const Options& options, campaign::SelectRequest& request) {
    if (!options.has("selection")) return;
    const std::string path = options.text("selection");
    const campaign::SelectionFile file = campaign::read_selection_file(path);
    for (const std::string& name : file.options) {
        if (options.is_given(name))
            options.fail(name, path + " says it already; leave out one of the two");
    }
    campaign::apply_selection(file,
                              {.batch = options.has("batch"),
                               .seed = options.is_given("seed"),
                               .shortlist = options.is_given("shortlist")},
                              request);
}

void read_policy(const Options& options, campaign::SelectRequest& request) {
    using Mode = campaign::SelectRequest::Mode;
    read_publishing(options, request);
    request.plan.bad_rows = bad_rows(options);
    request.plan.copies = options.flag("distinct") ? select::Copies::drop : select::Copies::keep;
    request.json_path = options.text("json");
    request.mode = options.flag("dry-run") ? Mode::dry_run : Mode::run;
    require(!request.queue_directory.empty() || !request.selected_path.empty() ||
                request.mode == Mode::dry_run,
            ExitCode::usage,
            "--queue DIR: missing; say where the batch goes, or give --selected FILE or --dry-run");
}

void check_sizes(const Options& options, const campaign::SelectRequest& request) {
    require(request.plan.batch_size > 0 || request.batch_share > 0.0, ExitCode::usage,
            "--batch B: missing; add it: how many rows to choose (see 'sluice help select')");
    if (request.plan.shortlist_size != 0 && request.plan.shortlist_size < request.plan.batch_size) {
        options.fail("shortlist", "smaller than the batch (" + options.text("shortlist") + " < " +
                                      options.text("batch") + "); give at least --batch");
    }
}

campaign::SelectRequest read_request(const Options& options) {
    campaign::SelectRequest request;
    request.pool = pool_source(options);
    read_science(options, request);
    read_parts(options, request);
    read_selection(options, request);
    check_sizes(options, request);
    read_policy(options, request);
    request.plan.num_threads = num_threads(options);
    request.plan.device = device_choice(options);
    request.plan.memory_gib = options.positive_number("memory");
    request.plan.block_rows = options.count_or_auto("block-rows", {1, max_rows}).value_or(0);
    return request;
}

}  // namespace

Command select_command() {
    return {select_spec(), [](const Options& options) {
                const campaign::SelectRequest request = read_request(options);
                heed_walltime(options);
                return [request](comm::Communicator& world) {
                    campaign::select_round(request, world);
                };
            }};
}

}  // namespace sluice::cli
