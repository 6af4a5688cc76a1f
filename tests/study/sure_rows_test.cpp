#include "study/sure_rows.hpp"

#include "model/train.hpp"
#include "tests/study/study_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace sluice::study {
namespace {

// A little committee, and what it says in float64.
class SureRows : public ::testing::Test {
  protected:
    SureRows() : set_(test::three_clouds(200)), open_(200, 1) {
        model::TrainOptions options = test::quick_rules(model::Task::classification).training;
        options.members = 3;
        network_ = model::run_network(model::train_committee(set_, options), kernels::Backend::cpu,
                                      "made");
        std::vector<float> logits(200 * 3 * 3);
        network_->run(set_.features.data(), 200, logits.data());
        for (std::size_t row = 0; row < 200; ++row)
            judge({logits.data() + row * 9, 9});
    }

    void judge(std::span<const float> logits) {
        double mean[3] = {};
        for (std::size_t m = 0; m < 3; ++m) {
            double sum = 0.0;
            for (std::size_t c = 0; c < 3; ++c)
                sum += std::exp(double{logits[m * 3 + c]});
            for (std::size_t c = 0; c < 3; ++c)
                mean[c] += std::exp(double{logits[m * 3 + c]}) / sum / 3.0;
        }
        double entropy = 0.0;
        for (const double share : mean)
            entropy -= share * std::log(share);
        entropies_.push_back(entropy);
        classes_.push_back(static_cast<std::int32_t>(std::max_element(mean, mean + 3) - mean));
    }

    std::vector<SureRow> sure(double delta, std::int64_t most) const {
        return sure_rows(network_, set_.features, open_, delta, most);
    }

    model::TrainingSet set_;
    std::vector<std::uint8_t> open_;
    std::shared_ptr<const kernels::CommitteeNetwork> network_;
    std::vector<double> entropies_;
    std::vector<std::int32_t> classes_;
};

TEST_F(SureRows, are_those_below_the_bound_with_the_likeliest_class) {
    open_[5] = open_[77] = 0;
    const std::vector<SureRow> rows = sure(0.4, 200);
    std::size_t next = 0;
    for (std::size_t i = 0; i < 200; ++i) {
        if (open_[i] == 0 || entropies_[i] >= 0.4) continue;
        ASSERT_LT(next, rows.size());
        EXPECT_EQ(rows[next].local, static_cast<std::int64_t>(i));
        EXPECT_EQ(rows[next++].class_index, classes_[i]);
    }
    EXPECT_EQ(next, rows.size());
    EXPECT_GT(next, 20U);
    EXPECT_TRUE(sure(1e-12, 200).empty());
}

TEST_F(SureRows, are_the_surest_where_they_are_many) {
    const std::vector<SureRow> rows = sure(2.0, 10);
    ASSERT_EQ(rows.size(), 10U);
    std::vector<double> sorted = entropies_;
    std::ranges::sort(sorted);
    for (const SureRow& row : rows)
        EXPECT_LE(entropies_[static_cast<std::size_t>(row.local)], sorted[9] + 1e-6);
}

TEST_F(SureRows, of_equal_rows_are_the_lower_ones) {
    for (std::size_t i = 0; i < set_.features.size(); ++i)
        set_.features[i] = set_.features[i % 2];
    const std::vector<SureRow> rows = sure(2.0, 4);
    ASSERT_EQ(rows.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i)
        EXPECT_EQ(rows[i].local, static_cast<std::int64_t>(i));
}

}  // namespace
}  // namespace sluice::study
