#include "core/text.hpp"
#include "select/embedding.hpp"
#include "select/plan.hpp"
#include "select/plan_parts.hpp"
#include "select/score_catalog.hpp"

#include <fmt/format.h>

#include <string>

namespace sluice::select {
namespace {

// The metric, and what it is of unless it is of the features.
std::string distances_text(const Plan& plan) {
    std::string text = plan.metric == Metric::cosine ? "cosine" : "euclidean";
    const EmbeddingRule& rule = plan.embedding->rule;
    if (rule.on != DiversifyOn::features)
        text +=
            fmt::format(", {} numbers of {}", plan.embedding->dim(), diversify_on_name(rule.on));
    return text;
}

std::string input_text(const Plan& plan) {
    std::string text;
    for (const ScoreSource& source : plan.sources) {
        if (source.role.empty() || text.find(source.role) != std::string::npos) continue;
        const bool is_model = source.input == kernels::ScoreInput::features &&
                              source.score != nullptr && source.score->feature_score == nullptr;
        text += text.empty() ? "" : ", ";
        text += is_model
                    ? fmt::format("what {} member(s) say of the features", plan.network->members())
                    : source.role;
    }
    if (plan.price == Price::divides_score) text += text.empty() ? "cost" : ", cost";
    return text.empty() ? "the row numbers" : text;
}

}  // namespace

std::string plan_text(const pool::Pool& pool, const Plan& plan, int num_ranks) {
    const auto size = [](std::int64_t bytes) { return bytes_text(static_cast<double>(bytes)); };
    std::string text = fmt::format(
        "pool       {} rows in {} file(s)\n"
        "stage 1    {} from {}: reads {}, keeps the best {} of the job\n",
        count_text(pool.num_rows), pool.source.files.size(), plan.ranking(), input_text(plan),
        size(plan.scan_bytes), count_text(plan.shortlist_size));
    if (plan.prepare.num_passes > 0)
        text += fmt::format("prepare    {} more pass(es) over the features, {} per rank\n",
                            plan.prepare.num_passes, size(plan.prepare.memory_bytes));
    if (!plan.conditions.empty()) text += "where      " + conditions_text(plan.conditions) + "\n";
    if (plan.items.has_items())
        text += "items      rows of one number in groups; an item's score is the " +
                plan.items.text() + " of its rows'\n";
    text += parts_text(plan);
    if (plan.diversity == "none") {
        text += "stage 2    none: the batch is the shortlist\n";
    } else {
        text += fmt::format("stage 2    {} ({}): reads {}, about {} rounds for {} picks\n",
                            plan.diversity, distances_text(plan), size(plan.gather_bytes),
                            plan.rounds, count_text(plan.batch_size));
    }
    text += fmt::format(
        "ranks      {}, {} thread(s) each, {} ({}), blocks of {} rows, {} in flight\n"
        "memory     {} per rank at the peak ({} to start with; stage 1 adds {}, stage 2 {})\n"
        "exchange   about {} received per rank\n",
        num_ranks, plan.num_threads, plan.backend == kernels::Backend::cuda ? "GPU" : "CPU",
        plan.backend == kernels::Backend::cuda ? "CUDA" : kernels::cpu_instruction_set(),
        count_text(plan.block_rows), plan.num_buffers, size(plan.peak_memory()),
        size(plan.memory_base), size(plan.memory_scan), size(plan.memory_diversify),
        size(plan.exchange_bytes));
    return text;
}

}  // namespace sluice::select
