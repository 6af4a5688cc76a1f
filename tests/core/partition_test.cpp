#include "core/partition.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace sluice {
namespace {

TEST(PartOfRows, covers_every_row_once_in_order_and_evenly) {
    for (const RowId num_rows : {0, 1, 2, 6, 7, 8, 100, 1001}) {
        for (const int num_parts : {1, 2, 3, 4, 7, 8, 200}) {
            for (const std::int64_t granule : {1, 3, 64}) {
                RowId next = 0;
                RowId smallest = num_rows;
                RowId largest = 0;
                for (int part = 0; part < num_parts; ++part) {
                    const RowRange range = part_of_rows(num_rows, part, num_parts, granule);
                    ASSERT_EQ(range.begin, next);
                    ASSERT_GE(range.end, range.begin);
                    ASSERT_TRUE(range.end == num_rows || range.end % granule == 0);
                    smallest = std::min(smallest, range.size());
                    largest = std::max(largest, range.size());
                    next = range.end;
                }
                ASSERT_EQ(next, num_rows);
                // The last granule may be cut short, which can lower one part by almost one more.
                ASSERT_LE(largest - smallest, granule == 1 ? 1 : 2 * granule - 1);
            }
        }
    }
}

TEST(PartOfRows, leaves_parts_empty_when_there_are_more_than_rows) {
    EXPECT_EQ(part_of_rows(2, 0, 4), (RowRange{0, 1}));
    EXPECT_EQ(part_of_rows(2, 1, 4), (RowRange{1, 2}));
    EXPECT_TRUE(part_of_rows(2, 2, 4).empty());
    EXPECT_TRUE(part_of_rows(2, 3, 4).empty());
}

TEST(PartOfRows, does_not_overflow_for_the_largest_pools) {
    const RowId num_rows = std::int64_t{1} << 60;
    const RowRange last = part_of_rows(num_rows, 9999, 10000, 4096);
    EXPECT_EQ(last.end, num_rows);
    EXPECT_NEAR(static_cast<double>(last.size()), static_cast<double>(num_rows) / 10000, 4096);
}

}  // namespace
}  // namespace sluice
