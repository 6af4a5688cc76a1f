#include "select/instances.hpp"

#include "select/group_numbers.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::select {
namespace {

// The rows of one item in blocks, for it may be longer than one.
void add_item(const Plan& plan, const RowScorer& scorer, RowRange item, Instance instance,
              std::vector<Instance>& instances) {
    RowScorer::Buffers buffers;
    for (RowId begin = item.begin; begin < item.end; begin += plan.block_rows) {
        const RowRange rows{begin, std::min(item.end, begin + plan.block_rows)};
        scorer.read(rows, buffers);
        scorer.score(rows, buffers);
        for (std::size_t i = 0; i < buffers.scores.size(); ++i) {
            if (std::isnan(buffers.scores[i]) || !RowScorer::is_wanted(buffers, i)) continue;
            instance.row = rows.begin + static_cast<RowId>(i);
            instance.score = buffers.scores[i];
            instances.push_back(instance);
        }
    }
}

}  // namespace

std::vector<Instance> instances_of(const pool::Pool& pool, const Plan& plan,
                                   const RowScorer& scorer, const std::vector<Selected>& picks,
                                   comm::Communicator& world) {
    std::vector<Instance> mine;
    world.agree([&] {
        if (!world.is_root()) return;
        const GroupNumbers groups(pool.get("groups", "--groups"));
        GroupNumbers::Scratch scratch;
        std::vector<std::int64_t> number;
        for (std::size_t i = 0; i < picks.size(); ++i) {
            const RowId row = picks[i].row;
            groups.read({row, row + 1}, number, scratch);
            add_item(plan, scorer, groups.item_of(row),
                     {static_cast<std::int64_t>(i), number.front()}, mine);
        }
    });
    return world.all_gather(std::span<const Instance>(mine));
}

}  // namespace sluice::select
