#include "core/error.hpp"
#include "core/text.hpp"
#include "select/class_mix.hpp"
#include "select/near_copies.hpp"
#include "select/parts.hpp"
#include "select/soft_rank.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::select {
namespace {

constexpr std::int64_t copies_expected = 4;  // rows looked at for each that stays

// How long a list must be for a part of so many rows: chosen rows and near-copies are passed over.
std::size_t capacity_for(const Plan& plan, std::int64_t rows) {
    const bool is_ranked = plan.randomization.kind == Randomization::Kind::softrank;
    std::int64_t capacity = plan.shortlist_of_part(rows) * (is_ranked ? ranked_factor : 1);
    if (plan.has_distance_limit()) capacity *= copies_expected;
    return static_cast<std::size_t>(capacity + plan.batch_size);
}

ScanList list_of_class(const Plan& plan, std::int64_t code, std::int64_t rows) {
    ScanList list;
    list.of_class = code;
    list.capacity = capacity_for(plan, rows);
    return list;
}

// The rows of a class that the plan names, before anything is known of the pool.
std::int64_t rows_of(const Plan& plan, const ClassMix::Target& target) {
    if (plan.class_mix.is_quota()) return static_cast<std::int64_t>(target.amount);
    const double exact = target.amount * static_cast<double>(plan.batch_size);
    return std::min(plan.batch_size, static_cast<std::int64_t>(std::ceil(exact)) + 1);
}

void add_named_lists(const Plan& plan, const RowClasses& classes, std::vector<ScanList>& lists) {
    std::vector<std::int64_t> codes;
    double named = 0.0;
    const std::string option = plan.class_mix.is_quota() ? "--quota: '" : "--balance: '";
    for (const ClassMix::Target& target : plan.class_mix.targets) {
        const std::optional<std::int64_t> code = classes.code_of(target.name);
        require(code.has_value(), ExitCode::bad_data,
                option + printable(target.name) + "' can be no class of " +
                    pool::location_text(classes.dataset(), 0) + "; name one as it is stored");
        require(std::find(codes.begin(), codes.end(), *code) == codes.end(), ExitCode::usage,
                option + printable(target.name) + "' is a class named before; name it once");
        codes.push_back(*code);
        named += target.amount;
        lists.push_back(list_of_class(plan, *code, rows_of(plan, target)));
    }
    if (!has_others(plan.class_mix)) return;
    ScanList others;
    std::sort(codes.begin(), codes.end());
    others.of_no_class = std::move(codes);
    others.capacity = capacity_for(plan, rows_of(plan, {"", 1.0 - named}));
    lists.push_back(std::move(others));
}

}  // namespace

ScanLists first_lists(const Plan& plan, const RowClasses* classes) {
    std::vector<ScanList> lists(1);
    lists.front().capacity = capacity_for(plan, plan.batch_size);
    if (plan.random_rows > 0) {
        ScanList by_chance;
        by_chance.order = ScanList::Order::by_chance;
        by_chance.capacity = static_cast<std::size_t>(
            plan.random_rows * (plan.has_distance_limit() ? copies_expected : 1));
        lists.push_back(std::move(by_chance));
    }
    if (classes == nullptr) return {plan, classes, std::move(lists)};
    if (plan.class_mix.takes_any_class())
        return {plan, classes, std::move(lists), capacity_for(plan, plan.batch_size)};
    add_named_lists(plan, *classes, lists);
    return {plan, classes, std::move(lists)};
}

std::int64_t parts_memory(const pool::Pool& pool, const Plan& plan, std::int64_t num_centers,
                          int num_ranks) {
    const auto capacity = static_cast<std::int64_t>(capacity_for(plan, plan.batch_size));
    const std::int64_t classes = std::ssize(plan.class_mix.targets) + 1;
    // A list, and what all ranks know of it.
    std::int64_t bytes = (2 + classes) * ScanLists::memory(capacity);
    if (plan.class_rule)
        bytes += plan.num_buffers * RowClasses::buffer_bytes(pool, plan, plan.block_rows);
    if (plan.has_distance_limit()) {
        const std::int64_t dim = pool.get("features", "--distinct-within").row_elements();
        const std::int64_t rows = plan.shortlist_size + plan.batch_size + num_centers;
        bytes += NearCopies::memory(rows, dim, num_ranks);
    }
    return bytes;
}

}  // namespace sluice::select
