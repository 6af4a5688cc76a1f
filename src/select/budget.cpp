#include "select/budget.hpp"

#include "core/error.hpp"
#include "pool/row_reader.hpp"
#include "select/group_numbers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sluice::select {
namespace {

double checked_cost(const pool::Dataset& dataset, RowId row, double cost) {
    require(std::isfinite(cost) && cost >= 0.0, ExitCode::bad_data,
            fmt::format("{}: a cost of {} cannot be paid; costs must be finite and >= 0",
                        pool::location_text(dataset, row), cost));
    return cost;
}

// Costs of the picks, in their order; read in ascending order, as readers want it.
std::vector<double> costs_of(const pool::Dataset& dataset, const std::vector<Selected>& picks) {
    std::vector<RowId> rows;
    for (const Selected& pick : picks)
        rows.push_back(pick.row);
    std::sort(rows.begin(), rows.end());
    std::vector<double> values(rows.size());
    pool::RowReader::Scratch scratch;
    pool::RowReader(dataset).gather_doubles(rows, values, scratch);
    std::vector<double> costs;
    for (const Selected& pick : picks) {
        const auto found = std::lower_bound(rows.begin(), rows.end(), pick.row);
        const double cost = values[static_cast<std::size_t>(found - rows.begin())];
        costs.push_back(checked_cost(dataset, pick.row, cost));
    }
    return costs;
}

// What each pick's whole item costs: the sum over its rows, in their order.
std::vector<double> costs_of_items(const pool::Dataset& dataset,
                                   const std::vector<RowRange>& items) {
    const pool::RowReader reader(dataset);
    pool::RowReader::Scratch scratch;
    std::vector<double> costs;
    for (const RowRange item : items) {
        double sum = 0.0;
        for (RowId row = item.begin; row < item.end; ++row) {
            double cost = 0.0;
            reader.gather_doubles({&row, 1}, {&cost, 1}, scratch);
            sum += checked_cost(dataset, row, cost);
        }
        costs.push_back(sum);
    }
    return costs;
}

std::size_t num_within(const std::vector<double>& costs, double budget) {
    double spent = 0.0;
    std::size_t count = 0;
    while (count < costs.size() && spent + costs[count] <= budget)
        spent += costs[count++];
    return count;
}

std::vector<RowRange> items_of(const pool::Pool& pool, const std::vector<Selected>& picks) {
    const GroupNumbers groups(pool.get("groups", "--groups"));
    std::vector<RowRange> items;
    for (const Selected& pick : picks)
        items.push_back(groups.item_of(pick.row));
    return items;
}

std::size_t num_affordable(const pool::Pool& pool, const Plan& plan,
                           const std::vector<Selected>& picks) {
    std::vector<RowRange> items;
    if (plan.items.has_items()) items = items_of(pool, picks);
    std::size_t count = picks.size();
    if (plan.batch_instances > 0) {
        std::vector<double> sizes;
        for (const RowRange item : items)
            sizes.push_back(static_cast<double>(item.size()));
        count = num_within(sizes, static_cast<double>(plan.batch_instances));
        require(count > 0, ExitCode::usage,
                fmt::format("--batch-instances: {} is less than the {} rows of the first item "
                            "chosen, that of row {}; raise it",
                            plan.batch_instances, items.front().size(), picks.front().row));
    }
    if (plan.batch_cost <= 0.0) return count;
    const pool::Dataset& cost = pool.get("cost", "--batch-cost");
    const std::vector<double> costs =
        items.empty() ? costs_of(cost, picks) : costs_of_items(cost, items);
    count = std::min(count, num_within(costs, plan.batch_cost));
    require(count > 0, ExitCode::usage,
            fmt::format("--batch-cost: {} does not pay for the first {} chosen, {}row {}, which "
                        "costs {}; raise the budget",
                        plan.batch_cost, items.empty() ? "row" : "item",
                        items.empty() ? "" : "that of ", picks.front().row, costs.front()));
    return count;
}

}  // namespace

std::size_t affordable_picks(const pool::Pool& pool, const Plan& plan,
                             const std::vector<Selected>& picks, comm::Communicator& world) {
    const bool is_limited = plan.batch_cost > 0.0 || plan.batch_instances > 0;
    if (!is_limited || picks.empty()) return picks.size();
    std::int64_t count = 0;
    world.agree([&] {
        if (world.is_root()) count = static_cast<std::int64_t>(num_affordable(pool, plan, picks));
    });
    return static_cast<std::size_t>(world.max(count));
}

}  // namespace sluice::select
