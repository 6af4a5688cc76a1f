#pragma once

#include "diversity_lists.hpp"
#include "support/mpi_main.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::select::test {

/// Expects these picks of a rule however its list is split over the ranks, in at most so many
/// rounds. \collective
inline void expect_in_rounds(const List& list, const std::string& rule, DiversityOptions options,
                             const std::vector<DiversePick>& expected, std::int64_t most_rounds) {
    for (const Split split : {Split::contiguous, Split::interleaved, Split::last_rank}) {
        options.num_threads = split == Split::interleaved ? 2 : 1;
        const DiverseBatch batch = test::pick(list, rule, options, sluice::test::world(), split);
        ASSERT_EQ(batch.picks.size(), expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
            ASSERT_EQ(batch.picks[i].row, expected[i].row) << rule << ", pick " << i;
            ASSERT_EQ(batch.picks[i].value, expected[i].value) << rule << ", pick " << i;
        }
        EXPECT_LE(batch.rounds, most_rounds) << rule;
    }
}

}  // namespace sluice::select::test
