#include "campaign/select_round.hpp"
#include "cli/commands.hpp"
#include "cli/numbers.hpp"
#include "cli/pool_options.hpp"
#include "cli/walltime_options.hpp"
#include "core/text.hpp"
#include "queue/layout.hpp"
#include "select/embedding.hpp"
#include "select/score_catalog.hpp"
#include "select/two_stage.hpp"

#include <limits>
#include <optional>

namespace sluice::cli {
namespace {

constexpr std::uint64_t max_count = std::numeric_limits<std::int32_t>::max();
constexpr std::uint64_t max_rows = std::uint64_t{1} << 48;

// The registries of scores and of diversities, as names an option takes.
template <typename Definitions>
std::vector<Choice> choices_of(const Definitions& definitions) {
    std::vector<Choice> choices;
    for (const auto& definition : definitions) {
        choices.push_back({definition.name, definition.aliases, definition.summary});
    }
    return choices;
}

std::vector<Choice> choices_of(const std::vector<select::DiversifyOnDefinition>& definitions) {
    std::vector<Choice> choices;
    for (const auto& definition : definitions)
        choices.push_back({definition.name, {}, definition.summary});
    return choices;
}

std::vector<OptionSpec> science_options() {
    return {
        {.name = "batch",
         .value_name = "B",
         .summary = "how many rows to choose",
         .unit = "rows",
         .need = OptionSpec::Need::required,
         .aliases = {"batch-size"}},
        {.name = "groups",
         .value_name = "RULE",
         .summary = "rows with one number in the pool's `groups`, side by side, are instances of "
                    "one item, chosen whole and scored by the max, mean, sum or top_mean:K (mean "
                    "of the K best) of its rows; --batch and --shortlist then count items",
         .default_text = "none"},
        {.name = "batch-instances",
         .value_name = "N",
         .summary = "most rows that the batch's items may have together: the first items chosen "
                    "that fit are taken, at most --batch",
         .unit = "rows"},
        {.name = "score",
         .value_name = "NAME",
         .summary = "what makes a row worth a label (listed below), or a sum of products of such, "
                    "of the pool's columns and of its cost, as in margin^2*column:novelty or "
                    "0.7*entropy + 0.3*column:loss/column:length",
         .default_text = "entropy",
         .choices = choices_of(select::score_catalog()),
         .names = OptionSpec::Names::some},
        {.name = "randomize",
         .value_name = "KIND",
         .summary = "noise that makes the ranking a draw: none, power (by score^C), softmax (by "
                    "e^(C score)) or softrank (by 1/rank^C, among the best 10 x K), with C after a "
                    "colon, as in power:1; the score column then holds what rows were ranked by",
         .default_text = "none"},
        {.name = "per-cost",
         .value_name = "",
         .summary = "rank rows by score / cost of the pool's `cost`; scores must be >= 0",
         .kind = OptionSpec::Kind::flag},
        {.name = "diversify",
         .value_name = "NAME",
         .summary = "how the batch is chosen from the shortlist (listed below)",
         .default_text = "k_center",
         .aliases = {"diversity"},
         .choices = choices_of(select::diversity_definitions())},
        {.name = "strength",
         .value_name = "X",
         .summary = "how much the score counts in --diversify, where the rule takes it: 0 = not at "
                    "all; auto = the rule's own",
         .default_text = "auto"},
        {.name = "sigma",
         .value_name = "X",
         .summary = "noise of the model behind --diversify, where the rule takes it",
         .unit = "that of the features",
         .default_text = "auto"},
        {.name = "radius",
         .value_name = "X",
         .summary = "how far a row stands for others in --diversify, where the rule takes it",
         .unit = "that of the features",
         .default_text = "auto",
         .aliases = {"delta"}},
        {.name = "diversify-on",
         .value_name = "NAME",
         .summary = "what --diversify measures distances of: the features, the committee's "
                    "covariance (members' deviations from their mean, of --model, or else of the "
                    "pool's committee or predictions), or gradients of the last layer of --model",
         .default_text = "features",
         .choices = choices_of(select::diversify_on_definitions())},
        {.name = "sketch-dim",
         .value_name = "K",
         .summary = "length that vectors of --diversify-on are brought to by a random projection; "
                    "auto = 512 where gradients are longer",
         .unit = "numbers",
         .default_text = "auto"},
        {.name = "metric",
         .value_name = "NAME",
         .summary = "distance between features",
         .default_text = "euclidean",
         .choices = {{"euclidean"}, {"cosine"}}},
        {.name = "shortlist",
         .value_name = "K",
         .summary = "rows with the best scores that the batch is chosen from; auto = 10 x B",
         .unit = "rows",
         .default_text = "auto",
         .aliases = {"shortlist-size"}},
        {.name = "max-score",
         .value_name = "X",
         .summary = "rows that score higher are passed over and counted: for physics, what a "
                    "committee disagrees on beyond all measure is mostly absurd (`hi`, the upper "
                    "trust level of DP-GEN)",
         .unit = "that of the score"},
        {.name = "min-score",
         .value_name = "X",
         .summary = "rows that score lower are passed over (`lo` of DP-GEN): fewer than --batch "
                    "may be chosen",
         .unit = "that of the score"},
        {.name = "where",
         .value_name = "CONDITIONS",
         .summary = "only rows whose columns or cost meet all of these are chosen, as in "
                    "'column:brightness >= 0.2, column:frame != 0'; < <= > >= == !=, compared as "
                    "float32"},
        {.name = "input",
         .value_name = "NAME",
         .summary = "what the score reads; auto = the best of what the pool has",
         .default_text = "auto",
         .choices = {{"auto"}, {"probabilities"}, {"committee"}, {"predictions"}}},
        {.name = "labels",
         .value_name = "PATH",
         .summary = "labels file, or directory of label generations: never chosen, and centres"},
        {.name = "held-out",
         .value_name = "PATH",
         .summary =
             "labels file or directory whose rows are never chosen, and no centres: the rows "
             "that models are tested on"},
        {.name = "model",
         .value_name = "FILE",
         .summary = "model file of 'sluice train': scores read what its members say of the "
                    "features, in place of the pool's probabilities or predictions"},
        {.name = "predictions-file",
         .value_name = "FILE",
         .summary = "what a model of yours says of every row, read in place of the pool's "
                    "probabilities, committee and predictions: a pool of as many rows"},
        {.name = "batch-cost",
         .value_name = "X",
         .summary = "most that the batch may cost by the pool's `cost`: the first rows chosen that "
                    "fit are taken, at most --batch",
         .unit = "that of `cost`"},
        {.name = "seed",
         .value_name = "S",
         .summary = "seed of random choices, 0 to 2^64-1",
         .default_text = "0"},
        {.name = "round",
         .value_name = "R",
         .summary = "number of the round, part of every random choice",
         .default_text = "1"},
    };
}

std::vector<OptionSpec> policy_options() {
    return {
        {.name = "queue",
         .value_name = "DIR",
         .summary = "queue directory that the batch is published in; made when absent"},
        {.name = "bad-rows",
         .value_name = "WHAT",
         .summary = "what to do about rows with wrong values",
         .default_text = "refuse",
         .choices = {{"refuse"}, {"skip"}}},
        {.name = "distinct",
         .value_name = "",
         .summary = "rows of equal features count once, and not at all if one of them is labeled "
                    "or issued",
         .kind = OptionSpec::Kind::flag},
        {.name = "new-pool",
         .value_name = "",
         .summary = "go on with a queue whose earlier batches came from another pool",
         .kind = OptionSpec::Kind::flag},
        {.name = "ticket-items",
         .value_name = "T",
         .summary = "rows that an oracle worker takes together; auto = B/100, at least 1",
         .unit = "rows",
         .default_text = "auto"},
        {.name = "tag",
         .value_name = "NAME",
         .summary = "only workers with this tag take the batch; not part of what makes its id"},
        {.name = "selected",
         .value_name = "FILE",
         .summary = "also write the batch as CSV (rank,row,id,score,distance; with --groups "
                    "also group,instance_score)"},
        {.name = "json", .value_name = "FILE", .summary = "also write a report as JSON"},
        {.name = "dry-run",
         .value_name = "",
         .summary = "print what would be read, held and exchanged, and do nothing",
         .kind = OptionSpec::Kind::flag},
    };
}

std::vector<OptionSpec> machine_options() {
    return {
        threads_option(),
        device_option(),
        {.name = "memory",
         .value_name = "X",
         .summary = "memory of each rank for buffers and the shortlist",
         .unit = "GiB",
         .default_text = "1"},
        {.name = "block-rows",
         .value_name = "R",
         .summary = "rows read at once; auto = what suits files and memory",
         .unit = "rows",
         .default_text = "auto"},
        config_option(),
    };
}

CommandSpec make_spec() {
    CommandSpec spec;
    spec.name = "select";
    spec.summary = "choose a batch from a pool and publish it in a queue";
    spec.usage = "--pool FILE... --queue DIR --batch B [OPTIONS]";
    spec.details =
        "Scores every row, keeps the K best as the shortlist, and chooses from it B rows that are "
        "unlike each other and unlike all rows labeled or issued before. The batch is the same for "
        "any number of ranks and threads. Asking again for the same batch changes nothing.";
    for (const auto& group : {pool_options(), science_options(), policy_options(),
                              walltime_options(), machine_options()})
        spec.options.insert(spec.options.end(), group.begin(), group.end());
    return spec;
}

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
    request.plan.batch_size = options.count("batch", {1, max_count});
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
    if (request.plan.shortlist_size != 0 && request.plan.shortlist_size < request.plan.batch_size) {
        options.fail("shortlist", "smaller than the batch (" + options.text("shortlist") + " < " +
                                      options.text("batch") + "); give at least --batch");
    }
}

void read_policy(const Options& options, campaign::SelectRequest& request) {
    using Mode = campaign::SelectRequest::Mode;
    using NewPool = campaign::SelectRequest::NewPool;
    request.queue_directory = options.text("queue");
    request.plan.bad_rows =
        options.text("bad-rows") == "skip" ? select::BadRows::skip : select::BadRows::refuse;
    request.plan.copies = options.flag("distinct") ? select::Copies::drop : select::Copies::keep;
    request.new_pool = options.flag("new-pool") ? NewPool::accept : NewPool::refuse;
    request.ticket_items = options.count_or_auto("ticket-items", {1, max_count}).value_or(0);
    request.tag = options.text("tag");
    if (!request.tag.empty() && !queue::is_plain_name(request.tag)) {
        options.fail("tag", "'" + printable(request.tag) +
                                "' cannot be a tag; use letters, digits, '-', '_' and '.'");
    }
    request.selected_path = options.text("selected");
    request.json_path = options.text("json");
    request.mode = options.flag("dry-run") ? Mode::dry_run : Mode::run;
    require(!request.queue_directory.empty() || !request.selected_path.empty() ||
                request.mode == Mode::dry_run,
            ExitCode::usage,
            "--queue DIR: missing; say where the batch goes, or give --selected FILE or --dry-run");
}

campaign::SelectRequest read_request(const Options& options) {
    campaign::SelectRequest request;
    request.pool = pool_source(options);
    read_science(options, request);
    read_policy(options, request);
    request.plan.num_threads = num_threads(options);
    request.plan.device = device_choice(options);
    request.plan.memory_gib = options.positive_number("memory");
    request.plan.block_rows = options.count_or_auto("block-rows", {1, max_rows}).value_or(0);
    return request;
}

}  // namespace

Command select_command() {
    return {make_spec(), [](const Options& options) {
                const campaign::SelectRequest request = read_request(options);
                heed_walltime(options);
                return [request](comm::Communicator& world) {
                    campaign::select_round(request, world);
                };
            }};
}

}  // namespace sluice::cli
