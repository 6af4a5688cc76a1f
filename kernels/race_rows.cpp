#include "kernels/race_rows.hpp"

#include "core/error.hpp"
#include "kernels/instruction_set.hpp"
#include "kernels/race_rows_cpu.hpp"
#include "kernels/worker_pool.hpp"

#include <algorithm>
#include <array>

namespace sluice::kernels {
namespace {

constexpr std::size_t most_lanes = 16;

const RaceInstructions& choose_instructions() {
#ifdef SLUICE_HAVE_X86
    switch (instruction_level()) {
        case InstructionLevel::avx512:
            return race_avx512;
        case InstructionLevel::avx2:
            return race_avx2;
        case InstructionLevel::baseline:
            break;
    }
#endif
    return race_baseline;
}

// Early rows among those [range).
std::vector<EarlyRow> early_of(const RaceDraws& draws, std::span<const RowId> rows,
                               std::span<const std::uint32_t> limits, RowRange range) {
    static const RaceInstructions& instructions = choose_instructions();
    std::vector<EarlyRow> found;
    std::vector<EarlyLane> lanes(most_lanes * draws.count);
    for (RowId begin = range.begin; begin < range.end; begin += instructions.width) {
        std::array<RowId, most_lanes> row{};
        std::array<std::uint32_t, most_lanes> limit{};
        const auto count = std::min<RowId>(instructions.width, range.end - begin);
        std::copy_n(rows.begin() + begin, count, row.begin());
        std::copy_n(limits.begin() + begin, count, limit.begin());
        const int num_early = instructions.early(draws, row.data(), limit.data(), lanes.data());
        for (int i = 0; i < num_early; ++i) {
            const EarlyLane& one = lanes[static_cast<std::size_t>(i)];
            if (one.lane < count) found.push_back({begin + one.lane, one.draw});
        }
    }
    return found;
}

}  // namespace

std::vector<EarlyRow> early_rows(const RaceDraws& draws, std::span<const RowId> rows,
                                 std::span<const std::uint32_t> limits, int num_threads) {
    constexpr RowId rows_a_task = 4096;
    require(limits.size() == rows.size() && (draws.word == 0 || draws.word == 1),
            ExitCode::internal, "early_rows: one limit a row is needed, and word 0 or 1");
    const auto num_rows = static_cast<RowId>(rows.size());
    const RowId num_tasks = (num_rows + rows_a_task - 1) / rows_a_task;
    std::vector<std::vector<EarlyRow>> parts(static_cast<std::size_t>(num_tasks));
    parallel_for(num_threads, num_tasks, [&](std::int64_t task) {
        parts[static_cast<std::size_t>(task)] =
            early_of(draws, rows, limits,
                     {task * rows_a_task, std::min(num_rows, (task + 1) * rows_a_task)});
    });
    std::vector<EarlyRow> found;
    for (const std::vector<EarlyRow>& part : parts)
        found.insert(found.end(), part.begin(), part.end());
    return found;
}

}  // namespace sluice::kernels
