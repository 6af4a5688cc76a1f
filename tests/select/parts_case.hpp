#pragma once

#include "core/types.hpp"
#include "select/two_stage.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::select::test {

/// What is asked of a batch in parts. Sizes that are not given are the test's usual ones.
struct PartsCase {
    std::string name;
    double random_share = 0.0;
    ClassMix mix = {};
    double distinct_within = no_distance;
    Copies copies = Copies::keep;
    double min_distance = 0.0;
    std::optional<std::int64_t> batch = {};
    std::optional<std::int64_t> shortlist = {};
};

struct PartsSizes {
    std::int64_t batch;
    std::int64_t shortlist;
};

/// The class in `columns/kind` of a row; 6 is rare.
inline std::int64_t kind_of(RowId row) {
    return row % 50 == 7 ? 6 : row % 5;
}

inline PlanRequest request_of(const PartsCase& one, const std::string& diversity,
                              const PartsSizes& usual) {
    PlanRequest request;
    request.score = "column:loss";
    request.diversity = diversity;
    request.batch_size = one.batch.value_or(usual.batch);
    request.shortlist_size = one.shortlist.value_or(usual.shortlist);
    request.random_share = one.random_share;
    request.class_by = "column:kind";
    request.class_mix = one.mix;
    request.distinct_within = one.distinct_within;
    request.copies = one.copies;
    request.min_distance = one.min_distance;
    request.seed = 11;
    request.device = kernels::DeviceChoice::cpu;
    return request;
}

inline void expect_same(const std::vector<Selected>& got, const std::vector<Selected>& expected) {
    ASSERT_EQ(got.size(), expected.size());
    const auto bits = [](float value) {
        return std::isnan(value) ? 1U : std::bit_cast<std::uint32_t>(value);
    };
    for (std::size_t i = 0; i < got.size(); ++i) {
        EXPECT_EQ(got[i].row, expected[i].row) << i;
        EXPECT_EQ(got[i].reason, expected[i].reason) << i;
        EXPECT_EQ(got[i].nearest, expected[i].nearest) << i;
        EXPECT_EQ(bits(got[i].score), bits(expected[i].score)) << i;
        EXPECT_EQ(bits(got[i].distance), bits(expected[i].distance)) << i;
        EXPECT_EQ(bits(got[i].nearest_distance), bits(expected[i].nearest_distance)) << i;
    }
}

}  // namespace sluice::select::test
