#include "model/train.hpp"

#include "model/model_file.hpp"
#include "model/training_parts.hpp"
#include "tests/model/training_fixture.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/training_oracle.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

namespace sluice::model {
namespace {

using test::expect_error;
using test::made_classes;
using test::made_numbers;
using test::small_options;

bool same_weights(const Network& first, const Network& second) {
    return first.layers.front().weight == second.layers.front().weight &&
           first.layers.back().weight == second.layers.back().weight;
}

// What the committee says of each label of a set, [labels][M * outputs].
std::vector<std::vector<float>> said_of(const Committee& committee, const TrainingSet& set) {
    const auto network = run_network(committee, kernels::Backend::cpu, "test");
    const auto width = static_cast<std::size_t>(network->members() * network->outputs());
    std::vector<float> out(static_cast<std::size_t>(set.size()) * width);
    network->run(set.features.data(), set.size(), out.data());
    std::vector<std::vector<float>> rows;
    for (auto begin = out.begin(); begin != out.end(); begin += static_cast<std::ptrdiff_t>(width))
        rows.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(width));
    return rows;
}

double accuracy(const Committee& committee, const TrainingSet& set) {
    const auto said = said_of(committee, set);
    double right = 0.0;
    for (std::size_t i = 0; i < said.size(); ++i) {
        const auto best = std::max_element(said[i].begin(), said[i].begin() + committee.outputs);
        if (best - said[i].begin() == set.classes[i]) right += 1.0;
    }
    return right / static_cast<double>(said.size());
}

TEST(Train, learns_classes) {
    const TrainingSet set = made_classes(300, 4, 3);
    for (const Head head : {Head::softmax, Head::hinge}) {
        TrainOptions options = small_options();
        options.head = head;
        EXPECT_GT(accuracy(train_committee(set, options), set), 0.97) << head_definition(head).name;
    }
}

TEST(Train, learns_numbers_and_says_them_in_their_own_units) {
    const TrainingSet set = made_numbers(200, 3, 2);
    TrainOptions options = small_options();
    options.head = Head::squares;
    options.hidden = {16, 16};
    options.max_epochs = 150;
    const auto said = said_of(train_committee(set, options), set);
    double square = 0.0;
    for (std::size_t i = 0; i < said.size(); ++i) {
        const double off = said[i][0] - set.targets[2 * i];
        square += off * off / static_cast<double>(said.size());
    }
    EXPECT_LT(std::sqrt(square), 0.2);  // of numbers from 5 to 15
}

TEST(Train, gaussian_head_learns_the_noise) {
    constexpr float noise = 0.6F;  // uniform in (-0.6, 0.6): variance 0.12
    const TrainingSet set = made_numbers(600, 2, 1, noise);
    TrainOptions options = small_options();
    options.head = Head::gaussian;
    options.max_epochs = 100;
    const Committee committee = train_committee(set, options);
    EXPECT_TRUE(committee.predicts_variance);
    double variance = 0.0;
    for (const auto& row : said_of(committee, set)) {
        ASSERT_EQ(row.size(), 4U);  // two members of one prediction and one variance
        ASSERT_GT(row[1], 0.0F);
        variance += static_cast<double>(row[1]) / static_cast<double>(set.size());
    }
    EXPECT_NEAR(variance, noise * noise / 3.0, 0.05);
}

TEST(Train, random_features_separate_what_no_line_can) {
    TrainingSet set = made_classes(400, 2, 2, 0.0F);
    for (std::size_t i = 0; i < set.classes.size(); ++i) {
        const float x = set.features[2 * i];
        const float y = set.features[2 * i + 1];
        set.classes[i] = x * y > 0.0F ? 1 : 0;
    }
    TrainOptions options = small_options();
    options.head = Head::hinge;
    options.hidden = {};
    options.max_epochs = 100;
    options.held_out = 0.0;
    EXPECT_LT(accuracy(train_committee(set, options), set), 0.75);
    options.random_features = 200;
    options.gamma = 1.0;
    const Committee committee = train_committee(set, options);
    EXPECT_GT(accuracy(committee, set), 0.95);
    const Layer& fixed = committee.networks[0].layers[0];
    EXPECT_EQ(fixed.activation, kernels::Activation::cosine);
    double square = 0.0;
    for (const float weight : fixed.weight)
        square += static_cast<double>(weight) * weight / static_cast<double>(fixed.weight.size());
    EXPECT_NEAR(square, 2.0 * options.gamma, 0.4);
    EXPECT_NE(fixed.weight, committee.networks[1].layers[0].weight);
}

TEST(Train, binary_hinge_stores_both_halves_of_one_decision) {
    TrainOptions options = small_options();
    options.head = Head::hinge;
    for (const auto& row :
         said_of(train_committee(made_classes(60, 2, 2), options), made_classes(60, 2, 2))) {
        EXPECT_EQ(row[0], -row[1]);
    }
}

TEST(Train, same_options_same_bits_another_seed_others) {
    const TrainingSet set = made_classes(80, 3, 2);
    TrainOptions options = small_options();
    const std::string hash = model_hash(train_committee(set, options));
    EXPECT_EQ(model_hash(train_committee(set, options)), hash);
    options.seed = 1;
    EXPECT_NE(model_hash(train_committee(set, options)), hash);
    options.seed = 0;
    options.round = 1;
    EXPECT_NE(model_hash(train_committee(set, options)), hash);
}

TEST(Train, members_differ_under_every_resampling) {
    const TrainingSet set = made_classes(80, 3, 2);
    for (const Resample resample : {Resample::none, Resample::bootstrap, Resample::k_fold}) {
        TrainOptions options = small_options();
        options.resample = resample;
        const Committee committee = train_committee(set, options);
        EXPECT_FALSE(same_weights(committee.networks[0], committee.networks[1]));
    }
}

TEST(Train, early_stopping_keeps_the_best_epoch) {
    const TrainingSet set = made_classes(120, 30, 2, 0.3F);  // noise: it will overfit
    TrainOptions options = small_options();
    options.max_epochs = 400;
    options.patience = 12;
    options.held_out = 0.3;
    const TrainedNetwork trained = train_network(set, options, 0, {});
    const MemberHistory& history = trained.history;
    const auto epochs = std::ssize(history.validation_loss);
    ASSERT_EQ(std::ssize(history.training_loss), epochs);
    EXPECT_LT(epochs, 400);
    EXPECT_EQ(history.best_epoch, epochs - 1 - options.patience);
    EXPECT_EQ(std::ranges::min_element(history.validation_loss) - history.validation_loss.begin(),
              history.best_epoch);
    // The net that was kept has the best epoch's loss.
    const Normalization by = feature_normalization(set);
    const TrainingParts parts = training_parts(set, options, 0);
    double loss = 0.0;
    for (const std::int64_t entry : parts.held_out) {
        oracle::Values row;
        for (std::int64_t k = 0; k < set.dim; ++k) {
            const auto place = static_cast<std::size_t>(entry * set.dim + k);
            const auto column = static_cast<std::size_t>(k);
            row.push_back((set.features[place] - by.mean[column]) / by.scale[column]);
        }
        loss += oracle::cross_entropy(
            oracle::outputs_of(oracle::net_of(trained.network), row),
            static_cast<std::size_t>(set.classes[static_cast<std::size_t>(entry)]));
    }
    loss /= static_cast<double>(parts.held_out.size());
    EXPECT_NEAR(loss, history.validation_loss[static_cast<std::size_t>(history.best_epoch)], 1e-5);
}

TEST(Train, epochs_are_reported_and_may_be_stopped) {
    const TrainingSet set = made_classes(40, 3, 2);
    std::int64_t last = -1;
    train_network(set, small_options(), 0, [&](std::int64_t epoch) { last = epoch; });
    EXPECT_EQ(last, 29);
    expect_error(ExitCode::try_again, "enough", [&] {
        train_network(set, small_options(), 0,
                      [](std::int64_t) { throw Error(ExitCode::try_again, "enough"); });
    });
}

TEST(Train, calibrates_softmax_with_enough_labels_held_out) {
    const TrainingSet set = made_classes(400, 10, 2, 0.4F);
    TrainOptions options = small_options();
    options.held_out = 0.25;
    options.max_epochs = 200;
    options.patience = 0;
    const Committee committee = train_committee(set, options);
    EXPECT_EQ(committee.calibration.rows, 100);
    EXPECT_NE(committee.temperature, 1.0F);
    options.resample = Resample::k_fold;
    EXPECT_EQ(train_committee(set, options).calibration.rows, 400);
    options.resample = Resample::none;
    options.held_out = 0.04;
    EXPECT_EQ(train_committee(set, options).calibration.rows, 0);
    EXPECT_EQ(train_committee(set, options).temperature, 1.0F);
}

TEST(Train, penalty_of_a_linear_head_is_l2) {
    // At the minimum of mean loss + d/2 |W|^2 the gradient of the loss is -d W.
    const TrainingSet set = made_classes(60, 2, 2, 1.0F);
    TrainOptions options = small_options();
    options.hidden = {};
    options.weight_decay = 0.05;
    options.max_epochs = 2000;
    options.held_out = 0.0;
    options.batch_rows = 100;
    const Network trained = train_network(set, options, 0, {}).network;
    const Normalization by = feature_normalization(set);
    const oracle::Net net = oracle::net_of(trained);
    for (std::size_t c = 0; c < 2; ++c) {
        for (std::size_t k = 0; k < 2; ++k) {
            double gradient = 0.0;
            for (std::size_t i = 0; i < 60; ++i) {
                oracle::Values row;
                for (std::size_t j = 0; j < 2; ++j)
                    row.push_back((set.features[2 * i + j] - by.mean[j]) / by.scale[j]);
                const oracle::Values said = oracle::outputs_of(net, row);
                const double share = std::exp(-oracle::cross_entropy(said, c));
                const double off = share - (set.classes[i] == static_cast<int>(c) ? 1.0 : 0.0);
                gradient += off * row[k] / 60.0;
            }
            EXPECT_NEAR(gradient, -options.weight_decay * net[0].weight[2 * c + k], 1e-3);
        }
    }
}

TEST(Train, normalises_and_leaves_constant_columns_alone) {
    TrainingSet set = made_classes(50, 3, 2);
    for (std::size_t i = 0; i < 50; ++i) {
        set.features[3 * i + 1] = 0.1F;
        set.features[3 * i + 2] *= 1e-30F;
    }
    const Normalization by = feature_normalization(set);
    EXPECT_EQ(by.scale[1], 1.0F);
    EXPECT_FLOAT_EQ(by.mean[1], 0.1F);
    EXPECT_LT(by.scale[2], 1e-29F);
    EXPECT_GT(by.scale[2], 0.0F);
    EXPECT_GT(accuracy(train_committee(set, small_options()), set), 0.9);
}

TEST(Train, twenty_labels_take_milliseconds) {
    const TrainingSet set = made_classes(20, 16, 4);
    TrainOptions options = small_options();
    options.hidden = {32};
    options.max_epochs = 100;
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 10; ++i)
        train_committee(set, options);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    EXPECT_LT(taken.count() / 20.0, 0.25) << "s for each net";  // 1 ms; room for other machines
}

TEST(Train, provenance_names_options_and_labels) {
    const auto json =
        nlohmann::json::parse(train_committee(made_classes(40, 3, 2), small_options()).provenance);
    EXPECT_EQ(json["head"], "softmax");
    EXPECT_EQ(json["labels"], "made labels");
    EXPECT_EQ(json["num_labels"], 40);
    EXPECT_EQ(json["hidden"], nlohmann::json::array({8}));
}

TEST(Train, diverged_training_is_an_error) {
    TrainOptions options = small_options();
    options.head = Head::squares;
    options.learning_rate = 10.0;
    options.hidden = {64, 64, 64, 64};
    options.activation = kernels::Activation::relu;
    options.held_out = 0.0;
    options.max_epochs = 300;
    TrainingSet set = made_numbers(40, 3, 1);
    for (float& target : set.targets)
        target *= 1e30F;
    set.targets[7] = std::numeric_limits<float>::max();
    expect_error(ExitCode::bad_data, "diverged (learning rate 10); give a lower --learning-rate",
                 [&] { train_committee(set, options); });
}

TEST(CheckTrainable, says_what_labels_cannot_be_trained_on) {
    const auto check = [](const TrainingSet& set, const TrainOptions& options) {
        return [&set, options] { check_trainable(set, options); };
    };
    TrainOptions options = small_options();
    const TrainingSet none = made_classes(0, 3, 2);
    expect_error(ExitCode::bad_data, "made labels: has no labels (0)", check(none, options));
    TrainingSet one_class = made_classes(12, 3, 2);
    std::ranges::fill(one_class.classes, 1);
    expect_error(ExitCode::bad_data, "all 12 labels are of one class (1)",
                 check(one_class, options));
    const TrainingSet few = made_classes(3, 3, 2);
    options.members = 5;
    expect_error(ExitCode::bad_data, "fewer labels than the members need (3 of 5)",
                 check(few, options));
    const TrainingSet some = made_classes(9, 3, 2);
    options.resample = Resample::k_fold;
    expect_error(ExitCode::bad_data, "fewer labels than the folds need (9 of 10)",
                 check(some, options));
    options = small_options();
    options.head = Head::squares;
    expect_error(ExitCode::usage, "--head squares: is for regression", check(some, options));
}

TEST(CheckTrainable, refuses_options_that_cannot_be) {
    const TrainingSet set = made_classes(30, 3, 2);
    const auto refuse = [&](const std::string& part, auto change) {
        TrainOptions options = small_options();
        change(options);
        expect_error(ExitCode::usage, part, [&] { check_trainable(set, options); });
    };
    refuse("--hidden", [](TrainOptions& o) { o.hidden = {8, 0}; });
    refuse("--members", [](TrainOptions& o) { o.members = 0; });
    refuse("--dropout", [](TrainOptions& o) { o.dropout_rate = 1.0; });
    refuse("no hidden units", [](TrainOptions& o) {
        o.hidden = {};
        o.dropout_rate = 0.5;
    });
    refuse("--learning-rate", [](TrainOptions& o) { o.learning_rate = 0.0; });
    refuse("--learning-rate", [](TrainOptions& o) { o.learning_rate = std::nan(""); });
    refuse("--weight-decay", [](TrainOptions& o) { o.weight_decay = -1.0; });
    refuse("--held-out", [](TrainOptions& o) { o.held_out = 1.0; });
    refuse("--batch-rows", [](TrainOptions& o) { o.batch_rows = 0; });
    refuse("--epochs", [](TrainOptions& o) { o.max_epochs = 0; });
    refuse("--activation", [](TrainOptions& o) { o.activation = kernels::Activation::cosine; });
    refuse("needs 2 folds", [](TrainOptions& o) {
        o.resample = Resample::k_fold;
        o.members = 1;
    });
}

}  // namespace
}  // namespace sluice::model
