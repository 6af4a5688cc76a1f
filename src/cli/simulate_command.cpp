#include "cli/batch_options.hpp"
#include "cli/commands.hpp"
#include "cli/numbers.hpp"
#include "cli/pool_options.hpp"
#include "cli/study_options.hpp"
#include "cli/training_options.hpp"
#include "cli/walltime_options.hpp"
#include "core/text.hpp"
#include "kernels/score_rows.hpp"
#include "select/two_stage.hpp"
#include "study/measures.hpp"
#include "study/study.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>

namespace sluice::cli {
namespace {

constexpr std::uint64_t max_count = std::numeric_limits<std::int32_t>::max();
using Kind = OptionSpec::Kind;

std::vector<OptionSpec> data_options() {
    return {
        {.name = "data",
         .value_name = "NAME=[POOL:]LABELS",
         .summary = "a data set: pool file and hidden labels (labels file or directory of "
                    "generations); without POOL the labels hold the features; repeat for more",
         .kind = Kind::list,
         .need = OptionSpec::Need::required},
        {.name = "features",
         .value_name = "PATH",
         .summary = "dataset in the pools that holds the features",
         .default_text = "/features"},
        {.name = "classes",
         .value_name = "C",
         .summary = "labels are classes 0 to C-1; auto = the largest one + 1",
         .default_text = "auto"},
        {.name = "out",
         .value_name = "DIR",
         .summary =
             "directory of curves.csv, summary.csv, summary.json and plots; made when absent",
         .need = OptionSpec::Need::required},
    };
}

std::vector<OptionSpec> arm_options() {
    return {
        {.name = "strategy",
         .value_name = "[NAME=]SCORE[/DIVERSIFY[/FACTOR[/WORD...]]]",
         .summary =
             "an arm: score and diversity (see 'sluice help select'), the shortlist in "
             "batches (a number or all; default 10 with a diversity), and words: distinct "
             "= the shortlist counts copies once, per_cost = the score is divided by the "
             "cost, pseudo = see --pseudo-delta, power:C, softmax:C or softrank:C = noise "
             "(see --randomize there), on=NAME (see --diversify-on there), sketch=K (see "
             "--sketch-dim there), strength=X, sigma=X, radius=X, "
             "groups=RULE, where=CONDITIONS = as for 'sluice select' (whole items, as many as fit "
             "into the batch's rows). Divide in a score by ^-1. Repeat for more arms; default: "
             "margin or, "
             "for numbers, committee_std with k_center/10. Rows by chance are always an arm",
         .kind = Kind::list},
        metric_option(),
        {.name = "seeds",
         .value_name = "S",
         .summary = "runs of each arm; the arms share test part, start and first weights",
         .default_text = "20"},
        {.name = "seed", .value_name = "S", .summary = "the first seed", .default_text = "0"},
        {.name = "start",
         .value_name = "N",
         .summary = "labels at the start",
         .unit = "rows",
         .default_text = "20"},
        {.name = "start-by",
         .value_name = "NAME",
         .summary = "how the first labels are chosen: any rows, or the classes in turn",
         .default_text = "chance",
         .choices = {{"chance"}, {"class"}}},
        {.name = "batch",
         .value_name = "B",
         .summary = "labels of a round",
         .unit = "rows",
         .default_text = "20",
         .aliases = {"batch-size"}},
        {.name = "rounds", .value_name = "R", .summary = "batches", .default_text = "12"},
        {.name = "test-share",
         .value_name = "X",
         .summary = "share of the rows that test; copies of a row (or a group) stay together",
         .default_text = "0.3"},
        {.name = "test-rows",
         .value_name = "N",
         .summary = "test with at least so many rows, in place of a share"},
    };
}

std::vector<OptionSpec> oracle_options() {
    return {
        {.name = "noise",
         .value_name = "X",
         .summary = "wrong answers: the share that names another class, or the standard deviation "
                    "of normal noise in the label's unit"},
        {.name = "refuse",
         .value_name = "X",
         .summary = "share of questions without an answer; such rows are replaced, asked again in "
                    "later rounds, and given up after 3 refusals"},
        {.name = "costs",
         .value_name = "",
         .summary = "labels cost what the pool's dataset `cost` says, not 1 each; areas are then "
                    "over cost, as far as all arms come",
         .kind = Kind::flag},
        {.name = "budget",
         .value_name = "X",
         .summary = "a run ends when no label fits into this cost, which is never overspent"},
    };
}

std::vector<OptionSpec> pseudo_options() {
    return {
        {.name = "pseudo-delta",
         .value_name = "X",
         .summary = "arms with the word pseudo train on rows too whose class the committee of the "
                    "round before is sure of: entropy of the members' mean below X",
         .unit = "nats"},
        {.name = "pseudo-decay",
         .value_name = "X",
         .summary = "that bound falls by so much each round",
         .unit = "nats"},
        {.name = "pseudo-most",
         .value_name = "N",
         .summary = "at most so many such rows, the surest first; auto = as many as labels",
         .unit = "rows",
         .default_text = "auto"},
        {.name = "pseudo-weight",
         .value_name = "X",
         .summary = "of such a row in training; a label has 1",
         .default_text = "1"},
    };
}

std::vector<OptionSpec> report_options() {
    std::vector<Choice> measures;
    for (const study::MeasureDefinition& measure : study::measure_definitions())
        measures.push_back({measure.name, {}, measure.summary});
    return {
        {.name = "measure",
         .value_name = "NAME",
         .summary = "what the report is about; the files hold all of them; default accuracy, or "
                    "rmse for numbers",
         .choices = measures},
        {.name = "target",
         .value_name = "X",
         .summary = "value whose labels are counted; default: what the random arm ends with"},
        {.name = "all-labels",
         .value_name = "",
         .summary = "also measure what a label for every row gives",
         .kind = Kind::flag},
        {.name = "within",
         .value_name = "X",
         .summary = "the target is this much worse than a label for every row"},
        memory_option("a data set"),
        config_option(),
    };
}

CommandSpec make_spec() {
    CommandSpec spec;
    spec.name = "simulate";
    spec.summary = "compare strategies on data whose labels are known but hidden";
    spec.usage = "--data NAME=POOL:LABELS... --strategy SPEC... --out DIR [OPTIONS]";
    spec.details =
        "Plays active learning from the start on, for every data set, strategy and seed: train a "
        "committee on what is labeled, measure it on a test part, choose a batch, have a simulated "
        "oracle open its labels, again. Whether a strategy is better than rows chosen by chance is "
        "said only by a paired test over the seeds. The result is the same for any number of "
        "ranks, which share the runs.";
    for (const auto& group : {data_options(), arm_options(), training_options(), oracle_options(),
                              pseudo_options(), report_options(), walltime_options()}) {
        spec.options.insert(spec.options.end(), group.begin(), group.end());
    }
    return spec;
}

double share(const Options& options, const std::string& name, double below) {
    const double value = options.positive_number(name);
    if (value >= below) {
        options.fail(name, "not below " + number_text(below) + " (" +
                               printable(options.text(name)) + "); give a smaller one");
    }
    return value;
}

model::Task task_of(const study::StudyRequest& request) {
    return model::head_definition(request.rules.training.head).task;
}

void read_rules(const Options& options, study::StudyRules& rules) {
    rules.training = read_training(options);
    rules.batch = options.count("batch", {1, max_count});
    rules.rounds = options.count("rounds", {0, max_count});
    rules.metric = options.text("metric");
    rules.split.start = options.count("start", {1, max_count});
    if (options.text("start-by") == "class") rules.split.start_by = study::StartBy::classes;
    rules.split.test_share = share(options, "test-share", 1.0);
    if (options.has("test-rows"))
        rules.split.test_rows = options.count("test-rows", {1, max_count});
    const bool classes =
        model::head_definition(rules.training.head).task == model::Task::classification;
    if (options.has("noise")) {
        rules.oracle.noise =
            classes ? share(options, "noise", 1.0) : options.positive_number("noise");
    }
    if (options.has("budget")) rules.budget = options.positive_number("budget");
    if (options.has("refuse")) rules.oracle.refusal = share(options, "refuse", 1.0);
}

void read_pseudo(const Options& options, study::StudyRequest& request) {
    model::PseudoRules& pseudo = request.rules.pseudo;
    if (options.has("pseudo-delta")) pseudo.delta = options.positive_number("pseudo-delta");
    if (options.has("pseudo-decay")) pseudo.decay = options.positive_number("pseudo-decay");
    pseudo.most = options.count_or_auto("pseudo-most", {1, max_count}).value_or(0);
    pseudo.weight = static_cast<float>(options.positive_number("pseudo-weight"));
    const bool is_wanted =
        std::ranges::any_of(request.strategies, [](const study::Strategy& strategy) {
            return strategy.training == study::Strategy::Training::pseudo;
        });
    if (!is_wanted && !pseudo.is_used()) return;
    if (!pseudo.is_used()) options.fail("pseudo-delta", "missing; an arm has the word pseudo");
    if (!is_wanted)
        options.fail("pseudo-delta", "no arm has the word pseudo, as in entropy/none/1/pseudo");
    if (request.rules.training.head != model::Head::softmax)
        options.fail("pseudo-delta", "goes by probabilities, which only --head softmax gives");
}

void read_arms(const Options& options, study::StudyRequest& request) {
    const char* usual =
        task_of(request) == model::Task::classification ? "margin" : "committee_std";
    std::vector<std::string> texts = options.texts("strategy");
    if (texts.empty()) texts = {std::string("two_stage=") + usual + "/k_center"};
    std::set<std::string> names;
    for (const std::string& text : texts) {
        request.strategies.push_back(parse_strategy(text, options));
        if (!names.insert(request.strategies.back().name).second)
            options.fail("strategy", "two arms are called " + request.strategies.back().name +
                                         "; name them apart");
    }
    for (const std::string& text : options.texts("data"))
        request.data.push_back(parse_data(text, options));
}

// What the arms want to know of rows beside their features.
void read_row_words(study::StudyRequest& request) {
    std::set<std::string> roles;
    for (const study::Strategy& strategy : request.strategies) {
        if (strategy.items.has_items()) request.reading.items = study::StudyReading::Items::needed;
        for (const select::RowCondition& condition : strategy.conditions)
            roles.insert(condition.role);
    }
    request.reading.condition_roles.assign(roles.begin(), roles.end());
}

void read_report(const Options& options, study::StudyRequest& request) {
    using AllLabels = study::StudyRequest::AllLabels;
    request.measure = options.text("measure");
    for (const study::MeasureDefinition& measure : study::measure_definitions()) {
        if (measure.name == request.measure && measure.task != task_of(request))
            options.fail("measure", measure.name + " is not of the head's task, " +
                                        std::string(model::task_name(task_of(request))));
    }
    if (options.has("target")) request.target = options.positive_number("target");
    if (options.has("within")) request.within = options.positive_number("within");
    const bool all = options.flag("all-labels") || request.within.has_value();
    request.all_labels = all ? AllLabels::run : AllLabels::skip;
}

// All options with their values, as they would stand on a command line; how much time there was is
// no matter of the study.
std::string command_text(const Options& options) {
    std::string text = "sluice simulate";
    for (const OptionSpec& option : make_spec().options) {
        if (is_walltime_option(option.name)) continue;
        for (const std::string& value : options.texts(option.name))
            text += " --" + option.name + (option.kind == Kind::flag ? "" : " " + value);
    }
    return text;
}

study::StudyRequest read_request(const Options& options) {
    study::StudyRequest request;
    read_rules(options, request.rules);
    read_arms(options, request);
    read_row_words(request);
    read_pseudo(options, request);
    read_report(options, request);
    request.num_seeds = options.count("seeds", {1, max_count});
    request.first_seed = options.seed("seed");
    request.reading.num_classes = options.count_or_auto("classes", {2, max_count}).value_or(0);
    request.reading.memory_gib = options.positive_number("memory");
    if (options.flag("costs")) request.reading.costs = study::StudyReading::Costs::from_pool;
    request.out = options.text("out");
    request.options_text = command_text(options);
    return request;
}

}  // namespace

Command simulate_command() {
    return {make_spec(), [](const Options& options) {
                const study::StudyRequest request = read_request(options);
                heed_walltime(options);
                return [request](comm::Communicator& world) { study::simulate(request, world); };
            }};
}

}  // namespace sluice::cli
