#include "select/nearest_collector.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace sluice::select {
namespace {

std::vector<RowId> rows_of(const std::vector<NearRowOfQuery>& found) {
    std::vector<RowId> rows;
    for (const NearRowOfQuery& one : found)
        rows.push_back(one.near.row);
    return rows;
}

TEST(NearestCollector, keeps_the_same_rows_in_any_order_of_offers) {
    std::vector<NearRow> offered;
    for (RowId row = 0; row < 200; ++row)
        offered.push_back({static_cast<float>(row * 7 % 5), row});
    std::mt19937 generator(3);
    for (int attempt = 0; attempt < 20; ++attempt) {
        std::shuffle(offered.begin(), offered.end(), generator);
        NearestCollector collector(1, 45);
        for (const NearRow& near : offered) {
            // As a search does: what is not below the limit is not offered.
            if (near.squared < collector.limits()[0]) collector.offer(0, near);
        }
        const std::vector<RowId> rows = rows_of(collector.sorted({0, 1}));
        ASSERT_EQ(rows.size(), 45U);
        EXPECT_EQ(rows[0], 0);  // at distance 0 every fifth row, 40 of them
        EXPECT_EQ(rows[39], 195);
        EXPECT_EQ(rows[40], 3);  // and the lowest five at distance 1
        EXPECT_EQ(rows[44], 23);
    }
}

TEST(NearestCollector, keeps_queries_apart_and_gives_what_there_is) {
    NearestCollector collector(3, 2);
    collector.offer(2, {1.0F, 5});
    collector.offer(0, {2.0F, 4});
    collector.offer(0, {2.0F, 3});
    collector.offer(0, {1.0F, 9});
    EXPECT_EQ(rows_of(collector.sorted({0, 3})), (std::vector<RowId>{9, 3, 5}));
    EXPECT_EQ(rows_of(collector.sorted({1, 2})), std::vector<RowId>());
}

}  // namespace
}  // namespace sluice::select
