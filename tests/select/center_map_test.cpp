#include "select/center_map.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

namespace sluice::select {
namespace {

std::vector<float> clustered(std::int64_t count, std::int64_t dim, float spread, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    std::vector<float> values;
    for (std::int64_t i = 0; i < count; ++i) {
        const auto cluster = static_cast<float>(generator() % 8);
        for (std::int64_t k = 0; k < dim; ++k)
            values.push_back(cluster + spread * normal(generator));
    }
    return values;
}

TEST(CenterMap, leaves_out_many_centres_but_none_that_is_nearer) {
    std::int64_t num_left_out = 0;
    for (const std::int64_t dim : {1, 3, 40}) {
        for (const float spread : {0.0F, 1e-20F, 0.01F, 0.5F, 1e18F}) {
            const auto centers = clustered(60, dim, spread, 1);
            const auto rows = clustered(300, dim, spread, 2);
            CenterMap map(64);
            map.extend({centers.data(), 25, dim}, 1);
            map.extend({centers.data(), 60, dim}, 2);
            for (std::int64_t i = 0; i < 300; ++i) {
                const auto distance_to = [&](std::int64_t center) {
                    return kernels::squared_distance(rows.data() + i * dim,
                                                     centers.data() + center * dim, dim);
                };
                const auto owner = static_cast<std::int32_t>(i % 30);
                std::vector<std::uint8_t> marks(60, 0);
                map.mark_near(owner, 30, distance_to(owner), marks);
                for (std::int64_t center = 30; center < 60; ++center) {
                    if (marks[static_cast<std::size_t>(center)] != 0) continue;
                    ++num_left_out;
                    ASSERT_GE(distance_to(center), distance_to(owner));
                }
                EXPECT_EQ(std::count(marks.begin(), marks.begin() + 30, 1), 0);
            }
        }
    }
    EXPECT_GT(num_left_out, 10000);
}

TEST(CenterMap, marks_everything_when_distances_overflow) {
    const std::vector<float> centers{0.0F, 1.5e19F, 3e38F};
    CenterMap map(3);
    map.extend({centers.data(), 3, 1}, 1);
    std::vector<std::uint8_t> marks(3, 0);
    map.mark_near(0, 1, 3e38F, marks);
    EXPECT_EQ(marks, (std::vector<std::uint8_t>{0, 1, 1}));
}

TEST(CenterMap, places_number_all_centres_with_neighbours_together) {
    const std::vector<float> centers{0.0F, 100.0F, 1.0F, 101.0F, 2.0F};
    CenterMap map(8);
    map.extend({centers.data(), 2, 1}, 1);
    map.extend({centers.data(), 5, 1}, 1);
    const auto places = map.places();
    ASSERT_EQ(places.size(), 5U);
    EXPECT_EQ(places[0], 0);
    EXPECT_GT(std::min(places[1], places[3]), std::max(places[2], places[4]));
}

}  // namespace
}  // namespace sluice::select
