#include "kernels/aligned_floats.hpp"
#include "model/losses.hpp"
#include "model/pseudo_rules.hpp"
#include "model/training_parts.hpp"
#include "tests/model/training_fixture.hpp"
#include "tests/support/expect_error.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace sluice::model {
namespace {

// Every third entry is a pseudo-label.
TrainingSet with_pseudo(std::int64_t labels, float weight) {
    TrainingSet set = test::made_classes(labels, 3, 3);
    for (std::int64_t entry = 0; entry < labels; ++entry)
        set.pseudo.push_back(entry % 3 == 1 ? weight : 0.0F);
    return set;
}

TrainingSet labels_of(const TrainingSet& set) {
    TrainingSet labels = set;
    labels.rows.clear();
    labels.pseudo.clear();
    for (std::int64_t entry = 0; entry < set.size(); ++entry) {
        if (!set.is_pseudo(entry)) labels.rows.push_back(set.rows[static_cast<std::size_t>(entry)]);
    }
    return labels;
}

std::set<RowId> rows_of(const TrainingSet& set, const std::vector<std::int64_t>& entries) {
    std::set<RowId> rows;
    for (const std::int64_t entry : entries)
        rows.insert(set.rows[static_cast<std::size_t>(entry)]);
    return rows;
}

TEST(PseudoRules, the_bound_falls_from_round_to_round_to_0) {
    PseudoRules rules;
    EXPECT_FALSE(rules.is_used());
    EXPECT_EQ(rules.delta_of(0), 0.0);
    rules.delta = 0.05;
    rules.decay = 0.02;
    EXPECT_TRUE(rules.is_used());
    EXPECT_DOUBLE_EQ(rules.delta_of(0), 0.05);
    EXPECT_DOUBLE_EQ(rules.delta_of(2), 0.05 - 2 * 0.02);
    EXPECT_EQ(rules.delta_of(3), 0.0);
    EXPECT_EQ(rules.most_of(40), 40);
    rules.most = 7;
    EXPECT_EQ(rules.most_of(40), 7);
}

TEST(PseudoLabels, are_never_held_out_and_move_no_label) {
    const TrainingSet set = with_pseudo(90, 1.0F);
    const TrainingSet labels = labels_of(set);
    for (const Resample resample : {Resample::none, Resample::k_fold}) {
        TrainOptions options;
        options.resample = resample;
        for (std::int64_t member = 0; member < 3; ++member) {
            const TrainingParts parts = training_parts(set, options, member);
            EXPECT_EQ(rows_of(set, parts.held_out),
                      rows_of(labels, training_parts(labels, options, member).held_out));
            EXPECT_EQ(parts.held_out.size() + parts.training.size(), 90U);
            EXPECT_TRUE(std::ranges::is_sorted(parts.training));
        }
    }
}

TEST(PseudoLabels, do_not_count_where_labels_are_too_few) {
    TrainOptions options = test::small_options();
    options.members = 7;
    const TrainingSet set = with_pseudo(9, 1.0F);
    test::expect_error(ExitCode::bad_data, "(6 of 7)", [&] { check_trainable(set, options); });
}

// Losses and gradients of one batch, against float64.
void expect_weighted(Head head) {
    const TrainingSet set = with_pseudo(6, 0.25F);
    const auto loss = make_loss(head, set, {});
    const std::vector<std::int64_t> entries = {0, 1, 2, 4};
    kernels::AlignedFloats memory;
    float* said = memory.reserve(16);
    std::vector<double> logits;
    for (std::int64_t i = 0; i < 12; ++i) {
        said[i] = test::made_number(i, 1);
        logits.push_back(said[i]);
    }
    const double total = loss->measure(entries, said);
    double wanted = 0.0;
    for (std::size_t i = 0; i < 4; ++i) {
        const double weight = entries[i] % 3 == 1 ? 0.25 : 1.0;
        const auto own =
            static_cast<std::size_t>(set.classes[static_cast<std::size_t>(entries[i])]);
        double sum = 0.0;
        for (std::size_t c = 0; c < 3; ++c)
            sum += std::exp(logits[i * 3 + c]);
        for (std::size_t c = 0; c < 3; ++c) {
            const double sign = c == own ? 1.0 : -1.0;
            const double missing = std::max(0.0, 1.0 - sign * logits[i * 3 + c]);
            const double gradient =
                head == Head::hinge ? -2.0 * sign * missing
                                    : std::exp(logits[i * 3 + c]) / sum - (c == own ? 1.0 : 0.0);
            EXPECT_NEAR(said[i * 3 + c], weight * gradient / 4.0, 1e-6);
            if (head == Head::hinge) wanted += weight * missing * missing;
        }
        if (head == Head::softmax) wanted += weight * (std::log(sum) - logits[i * 3 + own]);
    }
    EXPECT_NEAR(total, wanted, 1e-5);
}

TEST(PseudoLabels, weigh_in_the_cross_entropy) {
    expect_weighted(Head::softmax);
}

TEST(PseudoLabels, weigh_in_the_hinge_loss) {
    expect_weighted(Head::hinge);
}

}  // namespace
}  // namespace sluice::model
