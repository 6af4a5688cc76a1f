#include "model/committee.hpp"

#include "core/error.hpp"
#include "model/train.hpp"
#include "tests/model/training_fixture.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/training_oracle.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace sluice::model {
namespace {

Committee trained(std::int64_t masks, double rate) {
    TrainOptions options = test::small_options();
    options.hidden = {12, 10};
    options.max_epochs = 5;
    options.dropout_rate = rate;
    options.dropout_masks = masks;
    return train_committee(test::made_classes(60, 3, 3), options);
}

std::vector<float> run(const Committee& committee, const std::vector<float>& features) {
    const auto network = run_network(committee, kernels::Backend::cpu, "model.h5");
    const auto rows = std::ssize(features) / network->dim();
    std::vector<float> out(
        static_cast<std::size_t>(rows * network->members() * network->outputs()));
    network->run(features.data(), rows, out.data());
    return out;
}

TEST(Committee, masks_multiply_the_members) {
    EXPECT_EQ(trained(0, 0.0).num_members(), 2);
    const Committee committee = trained(4, 0.5);
    EXPECT_EQ(committee.num_members(), 8);
    EXPECT_EQ(member_networks(committee).size(), 8U);
}

TEST(Committee, masks_drop_units_where_they_are_read) {
    const Committee committee = trained(3, 0.5);
    const std::vector<Network> members = member_networks(committee);
    for (std::size_t m = 0; m < members.size(); ++m) {
        const Network& whole = committee.networks[m / 3];
        EXPECT_EQ(members[m].layers[0].weight, whole.layers[0].weight);
        for (std::size_t l = 1; l < 3; ++l) {
            const Layer& from = whole.layers[l];
            const Layer& to = members[m].layers[l];
            for (std::int64_t unit = 0; unit < from.inputs; ++unit) {
                const bool dropped = to.weight[static_cast<std::size_t>(unit)] == 0.0F;
                for (std::int64_t o = 0; o < from.outputs; ++o) {
                    const auto place = static_cast<std::size_t>(o * from.inputs + unit);
                    EXPECT_EQ(to.weight[place], dropped ? 0.0F : 2.0F * from.weight[place]);
                }
            }
            EXPECT_EQ(to.bias, from.bias);
        }
    }
    EXPECT_NE(members[0].layers[1].weight, members[1].layers[1].weight);
}

TEST(Committee, masks_depend_on_seed_net_mask_layer_and_unit_alone) {
    Committee committee = trained(3, 0.5);
    const std::vector<Network> members = member_networks(committee);
    const std::vector<Network> again = member_networks(committee);
    for (std::size_t m = 0; m < members.size(); ++m)
        EXPECT_EQ(members[m].layers[1].weight, again[m].layers[1].weight);
    committee.dropout->masks = 2;  // the masks there are stay what they were
    EXPECT_EQ(member_networks(committee)[1].layers[1].weight, members[1].layers[1].weight);
    committee.dropout->seed = 77;
    EXPECT_NE(member_networks(committee)[1].layers[1].weight, members[1].layers[1].weight);
}

TEST(Committee, rate_0_makes_equal_members) {
    const TrainingSet set = test::made_classes(6, 3, 3);
    const std::vector<float> said = run(trained(4, 0.0), set.features);
    const std::size_t width = 8 * 3;
    for (std::size_t i = 0; i < 6; ++i)
        for (std::size_t m = 1; m < 4; ++m)
            for (std::size_t c = 0; c < 3; ++c)
                EXPECT_EQ(said[i * width + m * 3 + c], said[i * width + c]);
}

TEST(Committee, says_what_an_independent_net_says) {
    Committee committee = trained(0, 0.0);
    committee.temperature = 1.7F;
    const TrainingSet set = test::made_classes(6, 3, 3);
    const std::vector<float> said = run(committee, set.features);
    for (std::size_t i = 0; i < 6; ++i) {
        oracle::Values row;
        for (std::size_t k = 0; k < 3; ++k)
            row.push_back((set.features[3 * i + k] - committee.input.mean[k]) /
                          committee.input.scale[k]);
        for (std::size_t m = 0; m < 2; ++m) {
            const auto logits = oracle::outputs_of(oracle::net_of(committee.networks[m]), row);
            for (std::size_t c = 0; c < 3; ++c)
                EXPECT_NEAR(said[(i * 2 + m) * 3 + c], logits[c] / 1.7, 1e-5);
        }
    }
}

TEST(Committee, output_is_named_for_scores) {
    using kernels::ScoreInput;
    const auto kind = [](const Committee& committee) {
        return run_network(committee, kernels::Backend::cpu, "")->output();
    };
    Committee committee = trained(0, 0.0);
    EXPECT_EQ(kind(committee), ScoreInput::committee_logits);
    committee.networks.pop_back();
    EXPECT_EQ(kind(committee), ScoreInput::logits);
    TrainOptions options = test::small_options();
    options.head = Head::squares;
    const TrainingSet numbers = test::made_numbers(40, 3, 2);
    EXPECT_EQ(kind(train_committee(numbers, options)), ScoreInput::predictions);
    options.head = Head::gaussian;
    EXPECT_EQ(kind(train_committee(numbers, options)), ScoreInput::gaussian_predictions);
}

TEST(Committee, layers_that_do_not_fit_are_told_with_the_file) {
    Committee committee = trained(0, 0.0);
    committee.networks[1].layers[1].inputs = 11;
    test::expect_error(ExitCode::bad_data, "models/model.h5: ", [&] {
        run_network(committee, kernels::Backend::cpu, "models/model.h5");
    });
}

}  // namespace
}  // namespace sluice::model
