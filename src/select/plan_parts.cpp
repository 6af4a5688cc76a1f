#include "select/plan_parts.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "select/row_classes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::select {
namespace {

void choose_distances(const pool::Pool& pool, const PlanRequest& request, Plan& plan) {
    plan.distinct_within = request.distinct_within;
    if (!std::isnan(request.distinct_within)) {
        require(request.distinct_within >= 0.0 && std::isfinite(request.distinct_within),
                ExitCode::usage,
                "--distinct-within: " + number_text(request.distinct_within) +
                    " is no distance; give a number >= 0");
        static_cast<void>(pool.get("features", "--distinct-within"));
    }
    plan.min_distance = request.min_distance;
    require(request.min_distance >= 0.0 && std::isfinite(request.min_distance), ExitCode::usage,
            "--min-distance: " + number_text(request.min_distance) +
                " is no distance; give a number >= 0");
    if (request.min_distance > 0.0) static_cast<void>(pool.get("features", "--min-distance"));
}

void choose_random_rows(const PlanRequest& request, Plan& plan) {
    require(request.random_share >= 0.0 && request.random_share <= 1.0, ExitCode::usage,
            "--random-share: " + number_text(request.random_share) +
                " is no share of the batch; give a number from 0 to 1");
    if (request.random_share == 0.0) return;
    const double rows =
        std::floor(request.random_share * static_cast<double>(plan.batch_size) + 0.5);
    plan.random_rows = static_cast<std::int64_t>(rows);
}

void require_one_value(const pool::Dataset& dataset, const ClassRule& rule) {
    require(rule.kind == ClassRule::Kind::predicted || dataset.row_elements() == 1,
            ExitCode::bad_data,
            pool::location_text(dataset, 0) + ": holds more than one value a row; " +
                "--class-by needs one");
}

// The classes of several balances are told apart by what all of them say of a row.
void choose_balances(const pool::Pool& pool, const PlanRequest& request, Plan& plan) {
    std::vector<ClassRule> rules;
    for (const Balance& balance : request.balances) {
        const bool is_known = balance.mix.kind == ClassMix::Kind::balance ||
                              balance.mix.kind == ClassMix::Kind::uniform ||
                              balance.mix.kind == ClassMix::Kind::as_pool;
        require(is_known && balance.weight > 0.0 && std::isfinite(balance.weight), ExitCode::usage,
                "balance by " + balance.class_by + ": " + balance.mix.text() + " with weight " +
                    number_text(balance.weight) +
                    " is none of several; give shares, uniform or pool, and a weight > 0");
        const std::string wrong = what_is_wrong(balance.mix);
        require(wrong.empty(), ExitCode::usage, "balance by " + balance.class_by + ": " + wrong);
        rules.push_back(parse_class_rule(balance.class_by));
    }
    plan.balances = request.balances;
    plan.class_mix = {ClassMix::Kind::several, {}};
    plan.class_rule = cells_of(std::move(rules));
    const RowClasses classes(pool, plan);
    for (std::size_t i = 0; i < classes.num_parts(); ++i)
        require_one_value(classes.part(i).dataset(), plan.class_rule->parts[i]);
}

void choose_classes(const pool::Pool& pool, const PlanRequest& request, Plan& plan) {
    if (!request.balances.empty()) return choose_balances(pool, request, plan);
    plan.class_mix = request.class_mix;
    if (plan.class_mix.kind == ClassMix::Kind::none) return;
    const std::string option = plan.class_mix.is_quota() ? "--quota" : "--balance";
    const std::string wrong = what_is_wrong(plan.class_mix);
    require(wrong.empty(), ExitCode::usage, option + ": asks for " + wrong);
    plan.class_rule = parse_class_rule(request.class_by);
    require_one_value(RowClasses(pool, plan).dataset(), *plan.class_rule);
    double rows = 0.0;
    for (const ClassMix::Target& target : plan.class_mix.targets)
        rows += target.amount;
    const auto most = static_cast<double>(request.batch_size - plan.random_rows);
    require(!plan.class_mix.is_quota() || rows <= most, ExitCode::usage,
            fmt::format("--quota: {} {} are more than the batch's {}; raise --batch or lower the "
                        "quota",
                        number_text(rows), plan.items.has_items() ? "items" : "rows",
                        number_text(most)));
}

}  // namespace

bool Plan::has_parts() const {
    return class_mix.kind != ClassMix::Kind::none || random_rows > 0 ||
           !std::isnan(distinct_within);
}

bool Plan::has_distance_limit() const {
    return !std::isnan(distinct_within) || (has_parts() && copies == Copies::drop);
}

float Plan::distance_limit() const {
    return std::isnan(distinct_within) ? 0.0F : static_cast<float>(distinct_within);
}

std::int64_t Plan::shortlist_of_part(std::int64_t rows) const {
    if (batch_size == 0 || diversity == "none") return rows;
    if (shortlist_size == num_candidates) return shortlist_size;
    const double share = static_cast<double>(rows) / static_cast<double>(batch_size);
    const double size = std::ceil(share * static_cast<double>(shortlist_size));
    return std::clamp(static_cast<std::int64_t>(size), rows, std::max(rows, shortlist_size));
}

void choose_parts(const pool::Pool& pool, const PlanRequest& request, Plan& plan) {
    plan.memory_budget = static_cast<std::int64_t>(request.memory_gib * 0x1p30);
    choose_distances(pool, request, plan);
    choose_random_rows(request, plan);
    choose_classes(pool, request, plan);
}

std::string parts_text(const Plan& plan) {
    std::string text;
    if (!std::isnan(plan.distinct_within))
        text +=
            fmt::format("distinct   {0}s within {1} of a better {0} are passed over\n",
                        plan.items.has_items() ? "item" : "row", number_text(plan.distinct_within));
    if (plan.random_rows > 0)
        text += fmt::format("random     {} {}s of the batch, from all candidates\n",
                            count_text(plan.random_rows), plan.items.has_items() ? "item" : "row");
    for (const Balance& balance : plan.balances)
        text += "balance    by " + balance.text() + "\n";
    if (plan.class_rule && plan.balances.empty())
        text +=
            fmt::format("{}by {}: {}\n", plan.class_mix.is_quota() ? "quota      " : "balance    ",
                        plan.class_rule->text, plan.class_mix.text());
    if (plan.min_distance > 0.0)
        text += fmt::format("distance   the batch ends at the first row within {} of another\n",
                            number_text(plan.min_distance));
    return text;
}

}  // namespace sluice::select
