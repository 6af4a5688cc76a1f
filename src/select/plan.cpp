#include "select/plan.hpp"

#include "comm/cores.hpp"
#include "core/error.hpp"
#include "core/proc_file.hpp"
#include "core/text.hpp"
#include "pool/row_reader.hpp"
#include "select/diversify.hpp"
#include "select/embedding.hpp"
#include "select/parts.hpp"
#include "select/plan_parts.hpp"
#include "select/row_scorer.hpp"
#include "select/scan.hpp"
#include "select/score_sources.hpp"
#include "select/two_stage.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <sstream>

namespace sluice::select {
namespace {

// A block should stay in a core's second-level cache between reading and scoring.
constexpr std::int64_t block_bytes = std::int64_t{1} << 20;
constexpr std::int64_t rows_without_input = 65'536;
constexpr std::int64_t shortlist_factor = 10;
constexpr std::int64_t histogram_bytes = 2048 * 8;
constexpr std::int64_t selection_passes = 9;

std::int64_t resident_bytes() {
    std::istringstream statm(read_proc_file("/proc/self/statm").value_or(""));
    std::int64_t total = 0;
    std::int64_t resident = 0;
    statm >> total >> resident;
    return resident * ::sysconf(_SC_PAGESIZE);
}

std::int64_t shortlist_of(const PlanRequest& request) {
    require(request.shortlist_size == 0 || request.shortlist_size >= request.batch_size,
            ExitCode::usage,
            fmt::format("--shortlist: {} is less than the batch of {}; give at least --batch rows",
                        request.shortlist_size, request.batch_size));
    return request.shortlist_size > 0 ? request.shortlist_size
                                      : shortlist_factor * request.batch_size;
}

void choose_sizes(const pool::Pool& pool, const PlanRequest& request, std::int64_t num_excluded,
                  Plan& plan) {
    require(
        request.batch_cost >= 0.0 && std::isfinite(request.batch_cost), ExitCode::usage,
        fmt::format("--batch-cost: {} is no budget; give a positive number", request.batch_cost));
    if (request.batch_cost > 0.0) static_cast<void>(pool.get("cost", "--batch-cost"));
    plan.batch_cost = request.batch_cost;
    const std::int64_t candidates = std::max<std::int64_t>(0, pool.num_rows - num_excluded);
    plan.num_candidates = candidates;
    plan.batch_size = std::min(request.batch_size, candidates);
    plan.shortlist_size = plan.batch_size;
    if (plan.diversity != "none") plan.shortlist_size = std::min(shortlist_of(request), candidates);
    const bool draws_ranks = plan.randomization.kind == Randomization::Kind::softrank;
    plan.scan_size = draws_ranks ? std::min(ranked_factor * plan.shortlist_size, candidates)
                                 : plan.shortlist_size;
}

// Anything longer than a row is streamed; that much must fit.
void require_row_fits(const pool::Dataset& dataset, std::int64_t budget) {
    const std::int64_t row_bytes = dataset.row_elements() * std::int64_t{sizeof(float)};
    require(2 * row_bytes <= budget, ExitCode::bad_data,
            fmt::format("{}: one row takes {} of memory, and --memory {} must hold two; raise "
                        "--memory",
                        pool::location_text(dataset, 0), bytes_text(static_cast<double>(row_bytes)),
                        bytes_text(static_cast<double>(budget))));
}

// A good block for the dataset with the longest rows.
std::int64_t usual_block_rows(const pool::Pool& pool, const Plan& plan) {
    const pool::Dataset* longest = nullptr;
    for (const ScoreRead& read : plan.reads()) {
        const pool::Dataset& dataset = pool.get(read.role, "the score");
        if (longest == nullptr || dataset.row_bytes() > longest->row_bytes()) longest = &dataset;
    }
    if (longest == nullptr) return rows_without_input;
    return std::max<std::int64_t>(1, pool::RowReader(*longest).block_rows(block_bytes));
}

// What the feature scores keep, beside the buffers.
ScoreForecast forecast_scores(const pool::Pool& pool, const Plan& plan, std::int64_t num_labeled,
                              int num_ranks) {
    ScoreForecast sum;
    for (const ScoreSource& source : plan.sources) {
        if (source.score == nullptr || source.score->feature_score == nullptr) continue;
        const ScoreForecast one = source.score->feature_score->forecast(
            {pool.num_rows, pool.find("features")->row_elements(), num_labeled, plan.batch_size,
             num_ranks, plan.num_threads});
        sum.memory_bytes += one.memory_bytes;
        sum.num_passes += one.num_passes;
        sum.bytes_received += one.bytes_received;
    }
    return sum;
}

// Whole blocks in flight on every compute thread and one read ahead, within half the budget.
void choose_blocks(const pool::Pool& pool, const PlanRequest& request, std::int64_t num_labeled,
                   int num_ranks, Plan& plan) {
    const std::vector<ScoreRead> reads = plan.reads();
    plan.num_buffers = reads.empty() ? plan.num_threads : plan.num_threads + 1;
    plan.block_rows = request.block_rows;
    const auto budget = static_cast<std::int64_t>(request.memory_gib * 0x1p30);
    if (plan.block_rows == 0) {
        plan.block_rows = usual_block_rows(pool, plan);
        while (plan.block_rows > 1 && scan_memory(pool, plan, num_ranks) > budget / 2) {
            plan.block_rows /= 2;
        }
    }
    plan.prepare = forecast_scores(pool, plan, num_labeled, num_ranks);
    const std::int64_t of_parts =
        plan.has_parts() ? parts_memory(pool, plan, num_labeled, num_ranks) : 0;
    plan.memory_scan = scan_memory(pool, plan, num_ranks) + plan.prepare.memory_bytes + of_parts;
    for (const ScoreRead& read : reads)
        require_row_fits(pool.get(read.role, "the score"), budget);
    require(plan.memory_scan <= budget, ExitCode::usage,
            fmt::format("--memory: scoring needs {} per rank (blocks of {} rows, {} buffers, {} "
                        "rows kept, {} for what scores prepare), more than {}; raise --memory, "
                        "use more ranks or lower --shortlist",
                        bytes_text(static_cast<double>(plan.memory_scan)), plan.block_rows,
                        plan.num_buffers, plan.scan_size,
                        bytes_text(static_cast<double>(plan.prepare.memory_bytes)),
                        bytes_text(static_cast<double>(budget))));
}

void plan_diversity(const pool::Pool& pool, const PlanRequest& request, std::int64_t num_centers,
                    int num_ranks, Plan& plan) {
    if (plan.diversity == "none") return;
    const DiversityForecast forecast = forecast_diversify(pool, plan, num_centers, num_ranks);
    plan.memory_diversify = forecast.memory_bytes;
    const auto budget = static_cast<std::int64_t>(request.memory_gib * 0x1p30);
    require(plan.memory_diversify <= budget, ExitCode::usage,
            fmt::format("--memory: {} of a shortlist of {} rows of {} numbers needs {} per rank, "
                        "more than {}; use more ranks, raise --memory or lower --shortlist",
                        plan.diversity, count_text(plan.shortlist_size), plan.embedding->dim(),
                        bytes_text(static_cast<double>(plan.memory_diversify)),
                        bytes_text(static_cast<double>(budget))));
    plan.gather_bytes = (plan.shortlist_size + num_centers) * plan.embedding->dataset->row_bytes();
    plan.rounds = forecast.rounds;
    plan.exchange_bytes += forecast.bytes_received;
}

void choose_what_is_read(const pool::Pool& pool, const PlanRequest& request, Plan& plan) {
    plan.score = parse_score(request.score);
    if (request.order == Order::lowest) {
        for (ScoreTerm& term : plan.score.terms)
            term.weight = -term.weight;
    }
    require(request.similar == nullptr ||
                std::count(plan.score.sources.begin(), plan.score.sources.end(),
                           std::string(similarity_name)) > 0,
            ExitCode::usage,
            "--similar-to: the score does not use it; multiply by similarity, as in --score "
            "'entropy*similarity'");
    plan.price = request.price;
    plan.weights = request.weights;
    plan.randomization = parse_randomization(request.randomize);
    if (request.committee)
        plan.network = model::run_network(*request.committee, plan.backend, request.model_path);
    plan.similar = request.similar;
    plan.sources = choose_sources(pool, plan, request);
    if (plan.price == Price::divides_score) static_cast<void>(pool.get("cost", "--per-cost"));
    plan.conditions = parse_conditions(request.conditions);
    for (const RowCondition& condition : plan.conditions) {
        const pool::Dataset& dataset = pool.get(condition.role, "--where");
        require(dataset.type != pool::ElementType::text, ExitCode::bad_data,
                pool::location_text(dataset, 0) + ": holds text, which --where cannot compare; " +
                    "name a column of numbers");
    }
}

// What items make of the request; refuses what is counted in rows alone.
void choose_items(const pool::Pool& pool, const PlanRequest& request, Plan& plan) {
    plan.items = parse_item_rule(request.items);
    plan.batch_instances = request.batch_instances;
    require(plan.batch_instances == 0 || plan.items.has_items(), ExitCode::usage,
            "--batch-instances: instances are rows of items; give --groups RULE too");
    if (!plan.items.has_items()) return;
    static_cast<void>(pool.get("groups", "--groups " + plan.items.text()));
    require(plan.copies == Copies::keep, ExitCode::usage,
            "--distinct: cannot be used with --groups: rows are compared, not items");
    require(plan.price == Price::ignored, ExitCode::usage,
            "--per-cost: cannot be used with --groups: a row's score is divided, not an item's; "
            "--batch-cost keeps items to a budget");
}

}  // namespace

Metric find_metric(const std::string& name) {
    if (name == "euclidean" || name == "l2") return Metric::euclidean;
    if (name == "cosine" || name == "cos") return Metric::cosine;
    throw Error(ExitCode::usage,
                "--metric: unknown metric '" + name + "'; choose euclidean or cosine");
}

std::int64_t Plan::peak_memory() const {
    return memory_base + std::max(memory_scan, memory_diversify);
}

std::string Plan::ranking() const {
    std::string text = score.text;
    if (price == Price::divides_score) text += " per cost";
    if (randomization.kind != Randomization::Kind::none)
        text += ", with noise " + randomization.text();
    return text;
}

std::vector<ScoreRead> Plan::reads() const {
    std::vector<ScoreRead> result;
    const auto add = [&](const std::string& role, kernels::ScoreInput input) {
        const bool is_new = std::none_of(result.begin(), result.end(),
                                         [&](const ScoreRead& read) { return read.role == role; });
        if (is_new && !role.empty()) result.push_back({role, input});
    };
    for (const ScoreSource& source : sources)
        add(source.role, source.input);
    if (price == Price::divides_score) add("cost", kernels::ScoreInput::none);
    for (const RowCondition& condition : conditions)
        add(condition.role, kernels::ScoreInput::none);
    return result;
}

std::vector<RowId> TakenRows::all() const {
    std::vector<RowId> rows;
    std::set_union(centers.begin(), centers.end(), held_out.begin(), held_out.end(),
                   std::back_inserter(rows));
    return rows;
}

Plan make_plan(const pool::Pool& pool, const PlanRequest& request, const TakenRows& taken,
               comm::Communicator& world) {
    Plan plan;
    world.agree([&] {
        plan.diversity = find_diversity(request.diversity).name;
        check_parameters(find_diversity(request.diversity), request.diversity_parameters);
        plan.diversity_parameters = request.diversity_parameters;
        plan.metric = find_metric(request.metric);
        plan.seed = request.seed;
        plan.round = request.round;
        plan.bad_rows = request.bad_rows;
        plan.copies = request.copies;
        plan.trust = request.trust;
        require(plan.trust.low <= plan.trust.high, ExitCode::usage,
                fmt::format("--min-score: {} is above --max-score {}; no row could be chosen",
                            plan.trust.low, plan.trust.high));
        if (plan.copies == Copies::drop) static_cast<void>(pool.get("features", "--distinct"));
        plan.num_threads =
            request.num_threads > 0 ? request.num_threads : comm::cores_of_this_rank(world);
        plan.backend = kernels::choose_backend(request.device, world.local_rank());
        choose_what_is_read(pool, request, plan);
        plan.embedding = std::make_shared<RowEmbedding>(choose_embedding(pool, request, plan));
        choose_items(pool, request, plan);
        choose_sizes(pool, request, std::ssize(taken.all()), plan);
        choose_parts(pool, request, plan);
        plan.memory_base = resident_bytes();
        choose_blocks(pool, request, std::ssize(taken.centers), world.size(), plan);
        for (const ScoreRead& read : plan.reads())
            plan.scan_bytes += pool.num_rows * pool.get(read.role, "the score").row_bytes();
        if (plan.class_rule) plan.scan_bytes += pool.num_rows * RowClasses(pool, plan).row_bytes();
        // Once for the order of the numbers, once for the scores.
        if (plan.items.has_items())
            plan.scan_bytes += 2 * pool.num_rows * pool.find("groups")->row_bytes();
        plan.exchange_bytes = world.size() > 1 ? selection_passes * histogram_bytes : 0;
        plan.exchange_bytes += plan.prepare.bytes_received;
        plan_diversity(pool, request, std::ssize(taken.centers), world.size(), plan);
    });
    plan.memory_base = world.max(plan.memory_base);
    return plan;
}

}  // namespace sluice::select
