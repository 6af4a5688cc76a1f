#include "cli/batch_options.hpp"
#include "cli/commands.hpp"
#include "cli/pool_options.hpp"
#include "cli/walltime_options.hpp"
#include "stream/run_stream.hpp"

#include <limits>

namespace sluice::cli {
namespace {

constexpr std::uint64_t max_count = std::numeric_limits<std::int32_t>::max();

std::vector<OptionSpec> source_options() {
    std::vector<OptionSpec> options = pool_options();
    options.front().summary =
        "a pool's HDF5 files that grow; without them, items are lines of JSON on stdin";
    options.front().need = OptionSpec::Need::optional;
    const std::vector<OptionSpec> more = {
        {.name = "model",
         .value_name = "FILE",
         .summary = "model file of 'sluice train': it tells of the items' features"},
        {.name = "state",
         .value_name = "FILE",
         .summary = "what is kept between runs: a run goes on where the last one ended"},
        {.name = "lines",
         .value_name = "WHAT",
         .summary = "of stdin, with a state that is there: the lines go on behind those decided, "
                    "or begin with the first of all, and those decided are passed over",
         .default_text = "go_on",
         .choices = {{"go_on"}, {"from_start"}}},
        {.name = "save-every",
         .value_name = "N",
         .summary = "write the state after so many items, and at the end",
         .unit = "items",
         .default_text = "1000"},
        {.name = "poll",
         .value_name = "S",
         .summary = "look for new rows that often",
         .unit = "s",
         .default_text = "1"},
        {.name = "idle",
         .value_name = "S",
         .summary = "end after so long without a new row; without it, when all rows are decided",
         .unit = "s"},
    };
    options.insert(options.end(), more.begin(), more.end());
    return options;
}

std::vector<OptionSpec> queue_options() {
    return {
        {.name = "queue",
         .value_name = "DIR",
         .summary = "queue directory that items asked for go into, for oracles to label; needs "
                    "--state; inputs come from the pool or the lines"},
        {.name = "batch",
         .value_name = "B",
         .summary = "items of a batch; the last holds what is left when the stream ends",
         .unit = "items",
         .default_text = "100"},
        {.name = "ticket-items",
         .value_name = "T",
         .summary = "items that an oracle worker takes together",
         .unit = "items",
         .default_text = "1"},
        {.name = "tag", .value_name = "NAME", .summary = "only workers with this tag take them"},
        {.name = "skipped",
         .value_name = "FILE",
         .summary = "lines of JSON of some items that were not asked for, each of which is there "
                    "with the same chance: to look at what the policy misses"},
        {.name = "skipped-items",
         .value_name = "N",
         .summary = "so many",
         .unit = "items",
         .default_text = "100"},
    };
}

std::vector<OptionSpec> policy_options() {
    return {
        {.name = "policy",
         .value_name = "NAME",
         .summary = "when an item is asked for (listed below)",
         .default_text = "variable",
         .choices = choices_of(stream::policy_definitions())},
        {.name = "budget",
         .value_name = "X",
         .summary = "share of the items to ask for, above 0 to 1",
         .default_text = "0.1"},
        {.name = "window",
         .value_name = "N",
         .summary = "spending is evened out over about so many items",
         .unit = "items",
         .default_text = "100"},
        {.name = "threshold",
         .value_name = "X",
         .summary = "of certainty (largest class probability, or 1 / deviation of predictions): "
                    "where it stands, or where a variable one begins",
         .default_text = "1"},
        {.name = "step",
         .value_name = "X",
         .summary = "by which a variable threshold moves",
         .default_text = "0.01"},
        {.name = "spread",
         .value_name = "X",
         .summary = "standard deviation of variable_random's factor around 1",
         .default_text = "1"},
        {.name = "ridge",
         .value_name = "X",
         .summary = "what volume begins with in every direction",
         .default_text = "0.01"},
        {.name = "embedding",
         .value_name = "NAME",
         .summary = "directions of volume: features, or the gradient (p - 1[class]) x of the last "
                    "layer; auto = that where class probabilities are known",
         .default_text = "auto",
         .choices = {{"auto"}, {"features"}, {"gradient"}}},
        {.name = "seed",
         .value_name = "S",
         .summary = "seed of random choices, 0 to 2^64-1",
         .default_text = "0"},
        config_option(),
    };
}

CommandSpec make_spec() {
    CommandSpec spec;
    spec.name = "stream";
    spec.summary = "decide on items as they come, one by one";
    spec.usage = "[--pool FILE...] [OPTIONS] < items.jsonl > decisions.jsonl";
    spec.details =
        "Decides for each item, before it knows the next, whether to ask for its label, within a "
        "budget. Items are lines of JSON, {\"id\": 7, \"probabilities\": [0.2, 0.8]} (or committee "
        "[M][C], predictions [M] or [M][T], features [D]; inputs [P] for the oracle), or rows of a "
        "pool that grows; decisions "
        "are lines of JSON on stdout. With --state a run that was ended, even killed, goes on with "
        "the same decisions. One process; it starts no MPI.";
    for (const auto& group :
         {source_options(), queue_options(), policy_options(), walltime_options()})
        spec.options.insert(spec.options.end(), group.begin(), group.end());
    spec.launch = Launch::alone;
    return spec;
}

stream::Embedding embedding_of(const std::string& name) {
    if (name == "features") return stream::Embedding::features;
    return name == "gradient" ? stream::Embedding::gradient : stream::Embedding::automatic;
}

stream::PolicyOptions policy_of(const Options& options) {
    stream::PolicyOptions policy;
    policy.policy = options.text("policy");
    policy.budget = options.positive_number("budget");
    if (policy.budget > 1.0) options.fail("budget", "above 1; give a share of the items");
    policy.window = options.count("window", {1, max_count});
    policy.threshold = options.positive_number("threshold");
    policy.step = options.positive_number("step");
    if (policy.step >= 1.0) options.fail("step", "not below 1; give a small number, as 0.01");
    policy.spread = options.positive_number("spread");
    policy.ridge = options.positive_number("ridge");
    policy.seed = options.seed("seed");
    return policy;
}

void read_queue(const Options& options, stream::StreamRequest& request) {
    request.queue.directory = options.text("queue");
    request.queue.batch_items = options.count("batch", {1, max_count});
    request.queue.ticket_items = options.count("ticket-items", {1, max_count});
    request.queue.tag = worker_tag(options);
    request.skipped_path = options.text("skipped");
    request.skipped_items = options.count("skipped-items", {1, max_count});
    if (options.has("queue") && !options.has("state"))
        options.fail("queue", "needs --state FILE, which says what is in it already");
}

stream::StreamRequest read_request(const Options& options) {
    using Lines = stream::StreamRequest::Lines;
    stream::StreamRequest request;
    request.policy = policy_of(options);
    request.embedding = embedding_of(options.text("embedding"));
    request.model_path = options.text("model");
    request.pool = pool_source(options);
    request.state_path = options.text("state");
    request.save_every = options.count("save-every", {1, max_count});
    request.poll_seconds = options.positive_number("poll");
    if (options.has("idle")) request.idle_seconds = options.positive_number("idle");
    request.lines = options.text("lines") == "from_start" ? Lines::from_start : Lines::go_on;
    read_queue(options, request);
    if (options.has("idle") && request.pool.files.empty())
        options.fail("idle", "is for --pool; stdin ends with its writer");
    return request;
}

}  // namespace

Command stream_command() {
    return {make_spec(), [](const Options& options) {
                const stream::StreamRequest request = read_request(options);
                heed_walltime(options);
                return [request](comm::Communicator&) { stream::run_stream(request); };
            }};
}

}  // namespace sluice::cli
