#include "select/budget.hpp"

#include "core/error.hpp"
#include "pool/row_reader.hpp"

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

std::size_t num_within(const std::vector<double>& costs, double budget) {
    double spent = 0.0;
    std::size_t count = 0;
    while (count < costs.size() && spent + costs[count] <= budget)
        spent += costs[count++];
    return count;
}

}  // namespace

std::size_t affordable_picks(const pool::Pool& pool, const Plan& plan,
                             const std::vector<Selected>& picks, comm::Communicator& world) {
    if (plan.batch_cost <= 0.0 || picks.empty()) return picks.size();
    std::int64_t count = 0;
    world.agree([&] {
        if (!world.is_root()) return;
        const std::vector<double> costs = costs_of(pool.get("cost", "--batch-cost"), picks);
        count = static_cast<std::int64_t>(num_within(costs, plan.batch_cost));
        require(count > 0, ExitCode::usage,
                fmt::format("--batch-cost: {} does not pay for the first row chosen, row {}, which "
                            "costs {}; raise the budget",
                            plan.batch_cost, picks.front().row, costs.front()));
    });
    return static_cast<std::size_t>(world.max(count));
}

}  // namespace sluice::select
