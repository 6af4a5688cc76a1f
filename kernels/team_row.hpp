#pragma once

#include "kernels/committee_ratios.hpp"
#include "kernels/row_statistics.hpp"

#include <cstdint>

/// The memory of a team of threads that score a row together, and how they share work out.
namespace sluice::kernels {

/// Threads of a team keep nothing.
struct TeamThread {};

/// A row in the memory of its team: the functors' tile, and behind it what threads find.
struct TeamRow {
    static constexpr std::int64_t facts_of_member = 4;

    RowView<float> row;
    float* differences;  ///< [C], of `logits` alone: from the largest
    float* facts;        ///< [M, facts_of_member] and one more
    float* parts;        ///< of a member, a run or a share of the threads

    SLUICE_LANE static std::int64_t num_runs(std::int64_t classes, std::int64_t length) {
        return (classes + length - 1) / length;
    }
    /// Floats of a row's memory.
    SLUICE_HD static std::int64_t floats(const ScoreBlock& block, std::int64_t num_threads) {
        constexpr std::int64_t shortest_run = CommitteeRatios<float>::short_run;
        const std::int64_t runs =
            3 * block.members * ((block.classes + shortest_run - 1) / shortest_run);
        const std::int64_t shares = 3 * (num_threads > block.members ? num_threads : block.members);
        return front(block) + facts_of_member * block.members + 1 + (runs > shares ? runs : shares);
    }
    SLUICE_LANE static TeamRow in(float* memory, const ScoreBlock& block) {
        const std::int64_t elements = block.members * block.classes;
        float* const facts = memory + front(block);
        return {{memory, 1, block.members, block.classes},
                memory + elements + 2 * block.members,
                facts,
                facts + facts_of_member * block.members + 1};
    }

    SLUICE_LANE float& fact(std::int64_t member, int which) const {
        return facts[member * facts_of_member + which];
    }
    SLUICE_LANE float& of_row() const { return facts[row.members * facts_of_member]; }

  private:
    SLUICE_HD static std::int64_t front(const ScoreBlock& block) {
        return block.members * block.classes +
               scratch_elements(block.input, block.members, block.classes) +
               (block.input == ScoreInput::logits ? block.classes : 0);
    }
};

namespace team_detail {

/// Facts of a member.
enum Fact { highest, lowest, origin, exponent, floor_of_logits = origin };

/// Threads take the items 0 to count - 1 in turn.
template <class Block, class Function>
SLUICE_LANE void each_item(Block& block, std::int64_t count, const Function& function) {
    block.each([&](int thread, TeamThread&) {
        for (std::int64_t item = thread; item < count; item += Block::size)
            function(static_cast<std::uint32_t>(item));
    });
}

template <class Block, class Function>
SLUICE_LANE void one_thread(Block& block, const Function& function) {
    block.each([&](int thread, TeamThread&) {
        if (thread == 0) function();
    });
}

SLUICE_LANE float long_sum(const float* terms, std::int64_t count, std::int64_t stride) {
    LongSum<float> sum;
    for (std::int64_t i = 0; i < count; ++i)
        sum.add(terms[i * stride]);
    return sum.total();
}

/// Threads that share a member's logits: enough to be fast, few enough to merge what they find.
template <class Block>
SLUICE_LANE std::uint32_t num_shares(std::uint32_t members) {
    constexpr std::uint32_t most = 32;
    const std::uint32_t each = members < Block::size ? Block::size / members : 1U;
    return each < most ? each : most;
}

}  // namespace team_detail

}  // namespace sluice::kernels
