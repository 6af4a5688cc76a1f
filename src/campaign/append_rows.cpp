#include "campaign/append_rows.hpp"

#include "core/error.hpp"
#include "core/path_status.hpp"
#include "queue/publish.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace sluice::campaign {
namespace {

void require_dataset(const pool::Pool& pool, const std::string& role, pool::ElementType type,
                     std::int64_t dim) {
    const pool::Dataset& dataset = pool.get(role, "--append-to");
    require(dataset.type == type && !dataset.big_endian && dataset.row_elements() == dim,
            ExitCode::bad_data,
            fmt::format("{}: holds {} {} a row, but what is synthesized has {} {}; write it to a "
                        "pool of its own",
                        pool::location_text(dataset, 0), dataset.row_elements(),
                        pool::element_name(dataset.type), dim, pool::element_name(type)));
}

// Rows from `first` on, counted from there.
std::vector<RowId> rows_from(RowId first, const std::vector<RowId>& rows) {
    std::vector<RowId> result;
    for (auto row = std::lower_bound(rows.begin(), rows.end(), first); row != rows.end(); ++row)
        result.push_back(*row - first);
    return result;
}

}  // namespace

void require_appendable(const pool::Pool& pool, std::int64_t dim) {
    require_dataset(pool, "features", pool::ElementType::float32, dim);
    require_dataset(pool, "inputs", pool::ElementType::float64, dim);
    for (const auto& [role, dataset] : pool.datasets) {
        require(role == "features" || role == "inputs", ExitCode::bad_data,
                fmt::format("{}: what is synthesized has no {}, and the files of a pool must "
                            "agree; write it to a pool of its own",
                            pool::location_text(dataset, 0), role));
    }
}

bool is_pool_of_queue(const pool::Pool& pool, const std::string& directory,
                      comm::Communicator& world) {
    const std::string fingerprint = pool::fingerprint(pool, world);
    std::int64_t same = 0;
    world.agree([&] {
        if (!world.is_root() || directory.empty()) return;
        if (!path_status(directory, Links::follow).has_value()) return;
        same = queue::Queue(directory).last_pool_fingerprint() == fingerprint ? 1 : 0;
    });
    return world.sum(same) > 0;
}

select::Selection choose_in_last_file(const std::string& path, const pool::Pool& pool,
                                      const select::PlanRequest& wanted,
                                      const select::TakenRows& taken, comm::Communicator& world) {
    const pool::Pool last = pool::open_pool({{path}}, world);
    const RowId first = pool.num_rows - last.num_rows;
    const select::TakenRows own{rows_from(first, taken.centers), rows_from(first, taken.held_out)};
    const select::Plan plan = select::make_plan(last, wanted, own, world);
    select::Selection selection = select::select_two_stage(last, plan, own, world);
    for (select::Selected& selected : selection.rows)
        selected.row += first;
    return selection;
}

}  // namespace sluice::campaign
