#include "model/loss_head.hpp"

#include "model/model_file.hpp"
#include "model/training_parts.hpp"
#include "tests/model/training_fixture.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/training_oracle.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace sluice::model {
namespace {

constexpr std::int64_t num_folds = 4;

// What a net says of an entry of the set, in float64; as logits, decision values or predictions.
oracle::Values said_of(const TrainingSet& set, const Committee& committee, std::size_t net,
                       std::int64_t entry) {
    oracle::Values inputs;
    for (std::int64_t k = 0; k < set.dim; ++k) {
        const auto column = static_cast<std::size_t>(k);
        inputs.push_back(
            (static_cast<double>(set.features[static_cast<std::size_t>(entry * set.dim + k)]) -
             static_cast<double>(committee.input.mean[column])) /
            static_cast<double>(committee.input.scale[column]));
    }
    oracle::Values said = oracle::outputs_of(oracle::net_of(committee.networks[net]), inputs);
    for (double& value : said)
        value /= static_cast<double>(committee.temperature);
    return said;
}

double softmax_loss(const oracle::Values& logits, std::size_t truth) {
    double sum = 0.0;
    for (const double logit : logits)
        sum += std::exp(logit - logits[truth]);
    return std::log(sum);
}

double hinge_loss(const oracle::Values& decisions, std::size_t truth) {
    double sum = 0.0;
    for (std::size_t c = 0; c < decisions.size(); ++c) {
        const double missing = 1.0 - (c == truth ? 1.0 : -1.0) * decisions[c];
        if (missing > 0.0) sum += missing * missing;
    }
    return sum;
}

// Predictions are normalised, as the nets are trained.
double square_loss(const TrainingSet& set, const Committee& committee, const oracle::Values& said,
                   std::int64_t entry) {
    double sum = 0.0;
    for (std::size_t t = 0; t < said.size(); ++t) {
        const double target =
            static_cast<double>(set.targets[static_cast<std::size_t>(entry) * said.size() + t]);
        const double wanted = (target - static_cast<double>(committee.target.mean[t])) /
                              static_cast<double>(committee.target.scale[t]);
        sum += (said[t] - wanted) * (said[t] - wanted);
    }
    return sum / static_cast<double>(said.size());
}

std::size_t fold_of(const TrainingSet& set, const TrainOptions& options, std::int64_t entry) {
    for (std::int64_t fold = 0; fold < num_folds; ++fold) {
        const std::vector<std::int64_t> held = training_parts(set, options, fold).held_out;
        if (std::ranges::count(held, entry) > 0) return static_cast<std::size_t>(fold);
    }
    return num_folds;
}

void expect_losses(const TrainingSet& set, Head head) {
    TrainOptions options = test::small_options();
    options.head = head;
    options = fold_options(options, num_folds);
    const Committee folds = train_committee(set, options);
    const TrainingSet labels = loss_labels(set, options, folds);

    ASSERT_EQ(labels.rows, set.rows);
    EXPECT_EQ(labels.features, set.features);
    std::vector<double> losses;
    double mean = 0.0;
    for (std::int64_t entry = 0; entry < set.size(); ++entry) {
        const oracle::Values said = said_of(set, folds, fold_of(set, options, entry), entry);
        if (head == Head::squares) {
            losses.push_back(square_loss(set, folds, said, entry));
        } else {
            const auto truth =
                static_cast<std::size_t>(set.classes[static_cast<std::size_t>(entry)]);
            losses.push_back(head == Head::softmax ? softmax_loss(said, truth)
                                                   : hinge_loss(said, truth));
        }
        mean += losses.back() / static_cast<double>(set.size());
    }
    for (std::size_t i = 0; i < losses.size(); ++i)
        EXPECT_NEAR(labels.targets[i], std::log(losses[i] + 0.01 * mean), 2e-4) << i;
}

TEST(LossLabels, agree_with_float64) {
    expect_losses(test::made_classes(60, 3, 3, 1.0F), Head::softmax);
    expect_losses(test::made_classes(60, 3, 3, 1.0F), Head::hinge);
    expect_losses(test::made_numbers(60, 3, 2, 0.5F), Head::squares);
}

TEST(LossLabels, of_two_classes_with_a_hinge_are_of_one_decision) {
    const TrainingSet set = test::made_classes(40, 3, 2, 1.0F);
    TrainOptions options = test::small_options();
    options.head = Head::hinge;
    options = fold_options(options, num_folds);
    const Committee folds = train_committee(set, options);
    const TrainingSet labels = loss_labels(set, options, folds);

    std::vector<double> losses;
    double mean = 0.0;
    for (std::int64_t entry = 0; entry < set.size(); ++entry) {
        const oracle::Values said = said_of(set, folds, fold_of(set, options, entry), entry);
        const double sign = set.classes[static_cast<std::size_t>(entry)] == 1 ? 1.0 : -1.0;
        const double missing = std::max(0.0, 1.0 - sign * 2.0 * said[1]);
        losses.push_back(missing * missing);
        mean += losses.back() / static_cast<double>(set.size());
    }
    for (std::size_t i = 0; i < losses.size(); ++i)
        EXPECT_NEAR(labels.targets[i], std::log(losses[i] + 0.01 * mean), 2e-4) << i;
}

TEST(LossLabels, leave_pseudo_labels_out) {
    TrainingSet set = test::made_classes(40, 3, 2, 1.0F);
    set.pseudo.assign(40, 0.0F);
    set.pseudo[7] = set.pseudo[8] = 0.5F;
    const TrainOptions options = fold_options(test::small_options(), num_folds);
    const TrainingSet labels = loss_labels(set, options, train_committee(set, options));

    EXPECT_EQ(labels.size(), 38);
    EXPECT_EQ(std::ranges::count(labels.rows, set.rows[7]), 0);
}

TEST(LossHead, is_a_part_of_the_model_file_and_of_its_hash) {
    const TrainingSet set = test::made_numbers(60, 3, 1, 0.5F);
    TrainOptions options = test::small_options();
    options.head = Head::squares;
    Committee committee = train_committee(set, options);
    const std::string without = model_hash(committee);
    const TrainOptions of_folds = fold_options(options, num_folds);
    const TrainingSet labels = loss_labels(set, of_folds, train_committee(set, of_folds));
    add_loss_head(train_committee(labels, loss_head_options(options)), num_folds, committee);
    const sluice::test::TemporaryDirectory directory;

    publish_model(directory.file("model.h5"), committee);
    const Committee found = read_model(directory.file("model.h5"));

    EXPECT_NE(model_hash(committee), without);
    EXPECT_EQ(model_hash(found), model_hash(committee));
    EXPECT_EQ(found.loss_folds, num_folds);
    ASSERT_TRUE(found.loss_head);
    EXPECT_EQ(found.loss_head->target.scale, committee.loss_head->target.scale);
    EXPECT_EQ(found.loss_head->networks.size(), 2U);
}

}  // namespace
}  // namespace sluice::model
