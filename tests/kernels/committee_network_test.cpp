// The forward pass against double precision, and what its results must not depend on.
#include "kernels/committee_network.hpp"

#include "core/error.hpp"
#include "kernels/activation_functions.hpp"
#include "network_fixture.hpp"
#include "support/expect_error.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice::kernels {
namespace {

std::shared_ptr<const CommitteeNetwork> on_cpu(const MadeNetwork& made) {
    return make_committee_network(Backend::cpu, made.definition);
}

void expect_within_bounds(const MadeNetwork& made, const std::vector<float>& features) {
    const auto network = on_cpu(made);
    const std::vector<float> out = outputs_of(*network, features);
    const auto elements = static_cast<std::size_t>(network->members() * network->outputs());
    for (std::size_t row = 0; row * elements < out.size(); ++row) {
        const auto expected = oracle_outputs(
            made.definition, features.data() + row * static_cast<std::size_t>(network->dim()));
        for (std::size_t e = 0; e < elements; ++e) {
            const auto got = static_cast<double>(out[row * elements + e]);
            ASSERT_TRUE(std::abs(got - expected[e].value) <= expected[e].error)
                << got << " is not " << expected[e].value << " within " << expected[e].error
                << ", row " << row << ", element " << e;
        }
    }
}

TEST(CommitteeNetwork, agrees_with_the_oracle_for_every_activation) {
    for (const std::string_view name : activation_names()) {
        SCOPED_TRACE(name);
        expect_within_bounds(make_network({19, {33, 17}, 10, 3, find_activation(name)}, 3),
                             random_floats(19 * 25, 4));
    }
}

TEST(CommitteeNetwork, agrees_with_the_oracle_for_odd_shapes) {
    for (const NetworkShape& shape :
         {NetworkShape{1, {}, 1, 1}, NetworkShape{7, {}, 3, 4}, NetworkShape{33, {1}, 2, 2},
          NetworkShape{16, {16, 16, 16, 16}, 16, 2}, NetworkShape{5, {100}, 40, 7}})
        expect_within_bounds(make_network(shape, 5),
                             random_floats(static_cast<std::size_t>(shape.dim) * 20, 6));
}

TEST(CommitteeNetwork, normalises_its_inputs) {
    MadeNetwork made = make_network({11, {20}, 3, 2}, 7);
    made.definition.input_offset = random_floats(11, 8);
    expect_within_bounds(made, random_floats(11 * 20, 9));
    made.definition.input_factor = random_floats(11, 10, 3.0F);
    expect_within_bounds(made, random_floats(11 * 20, 9));
    made.definition.input_offset.clear();
    expect_within_bounds(made, random_floats(11 * 20, 9));
}

/// One chain of fused multiply-adds for each element, a row and a layer at a time: what no
/// instruction set, block size or sharing of layers may change.
std::vector<float> member_outputs(const NetworkDefinition& definition, std::size_t member,
                                  std::vector<float> values) {
    for (std::size_t k = 0; k < values.size(); ++k) {
        if (!definition.input_offset.empty()) values[k] -= definition.input_offset[k];
        if (!definition.input_factor.empty()) values[k] *= definition.input_factor[k];
    }
    for (const DenseLayer& layer : definition.members[member]) {
        std::vector<float> next;
        for (std::int64_t o = 0; o < layer.outputs; ++o) {
            float sum = layer.bias[o];
            for (std::size_t k = 0; k < values.size(); ++k)
                sum =
                    std::fma(values[k], layer.weight[o * layer.inputs + static_cast<int>(k)], sum);
            with_activation(layer.activation,
                            [&](auto function) { next.push_back(function.of(sum)); });
        }
        values = next;
    }
    return values;
}

void expect_bits_of_the_chain(const MadeNetwork& made, const std::vector<float>& features) {
    const auto network = on_cpu(made);
    const std::vector<float> out = outputs_of(*network, features);
    const auto dim = static_cast<std::ptrdiff_t>(network->dim());
    std::size_t at = 0;
    for (auto row = features.begin(); row != features.end(); row += dim)
        for (std::size_t m = 0; m < made.definition.members.size(); ++m)
            for (const float expected : member_outputs(made.definition, m, {row, row + dim}))
                ASSERT_EQ(std::bit_cast<std::uint32_t>(out[at++]),
                          std::bit_cast<std::uint32_t>(expected))
                    << "member " << m << ", row " << (row - features.begin()) / dim;
}

TEST(CommitteeNetwork, has_the_bits_of_the_chain_for_any_number_of_rows) {
    MadeNetwork made = make_network({6, {19}, 3, 2, Activation::silu}, 11);
    made.definition.input_offset = random_floats(6, 12);
    made.definition.input_factor = random_floats(6, 13);
    for (std::size_t rows = 1; rows <= 40; ++rows)
        expect_bits_of_the_chain(made, random_floats(6 * rows, 14));
    expect_bits_of_the_chain(made, random_floats(6 * 1000, 15));
}

TEST(CommitteeNetwork, has_the_same_bits_in_blocks_of_any_size) {
    const MadeNetwork made = make_network({9, {30, 20}, 4, 3}, 16);
    const auto network = on_cpu(made);
    const std::vector<float> features = random_floats(9 * 500, 17);
    const std::vector<float> expected = outputs_of(*network, features);
    for (const std::int64_t rows : {1, 7, 13, 250}) {
        std::vector<float> out(expected.size());
        for (std::int64_t begin = 0; begin < 500; begin += rows)
            network->run(features.data() + begin * 9, std::min<std::int64_t>(rows, 500 - begin),
                         out.data() + begin * 12);
        EXPECT_EQ(out, expected) << rows;
    }
}

/// Lets the members from `first` on begin with the first member's layers; `copied`: as copies.
void share_layers(MadeNetwork& made, std::size_t first, std::size_t num_layers, bool copied) {
    auto& members = made.definition.members;
    for (std::size_t m = first; m < members.size(); ++m)
        for (std::size_t i = 0; i < num_layers; ++i) {
            members[m][i] = members[0][i];
            if (!copied) continue;
            const DenseLayer& layer = members[0][i];
            made.memory.emplace_back(layer.weight, layer.weight + layer.inputs * layer.outputs);
            members[m][i].weight = made.memory.back().data();
        }
}

TEST(CommitteeNetwork, shares_layers_without_changing_a_bit) {
    for (const std::size_t num_layers : {1, 2, 3})
        for (const std::size_t first : {1, 3}) {
            MadeNetwork made = make_network({8, {12, 30}, 3, 5}, 18);
            share_layers(made, first, num_layers, num_layers == 2);
            expect_bits_of_the_chain(made, random_floats(8 * 30, 19));
        }
}

TEST(CommitteeNetwork, layers_that_differ_in_one_number_are_not_shared) {
    for (const bool in_bias : {false, true}) {
        MadeNetwork made = make_network({8, {12}, 3, 2}, 36);
        DenseLayer& layer = made.definition.members[1][0];
        const DenseLayer& first = made.definition.members[0][0];
        made.memory.emplace_back(first.weight, first.weight + 8 * 12);
        layer.weight = made.memory.back().data();
        if (!in_bias) made.memory.back().back() += 1.0F;
        made.memory.emplace_back(first.bias, first.bias + 12);
        layer.bias = made.memory.back().data();
        if (in_bias) made.memory.back().back() += 1.0F;
        expect_bits_of_the_chain(made, random_floats(8 * 5, 37));
    }
}

TEST(CommitteeNetwork, members_may_differ_in_depth_and_activation) {
    MadeNetwork made = make_network({8, {12}, 3, 3}, 20);
    MadeNetwork deeper = make_network({8, {12, 9}, 3, 2, Activation::tanh}, 21);
    MadeNetwork linear = make_network({8, {}, 3, 2}, 22);
    auto& members = made.definition.members;
    members.insert(members.begin() + 1, deeper.definition.members.begin(),
                   deeper.definition.members.end());
    members.insert(members.begin() + 2, linear.definition.members.begin(),
                   linear.definition.members.end());
    members[0][0].activation = Activation::cosine;
    expect_bits_of_the_chain(made, random_floats(8 * 30, 23));
}

TEST(CommitteeNetwork, wide_committees_run_in_several_steps) {
    MadeNetwork made = make_network({8, {150}, 2, 20}, 24);
    expect_bits_of_the_chain(made, random_floats(8 * 60, 25));
}

TEST(CommitteeNetwork, keeps_no_pointer_to_the_weights) {
    std::shared_ptr<const CommitteeNetwork> network;
    std::vector<float> expected;
    const std::vector<float> features = random_floats(5 * 9, 26);
    {
        MadeNetwork made = make_network({5, {8}, 2, 3}, 27);
        network = on_cpu(made);
        expected = outputs_of(*network, features);
        for (std::vector<float>& values : made.memory)
            std::fill(values.begin(), values.end(), 1e30F);
    }
    EXPECT_EQ(outputs_of(*network, features), expected);
}

TEST(CommitteeNetwork, maps_predictions_and_variances_to_units) {
    MadeNetwork made = make_network({4, {10}, 6, 2}, 28);
    const std::vector<float> features = random_floats(4 * 30, 29);
    const std::vector<float> plain = outputs_of(*on_cpu(made), features);
    made.definition.first_variance = 3;
    made.definition.output = ScoreInput::gaussian_predictions;
    made.definition.output_factor = {2.0F, -0.3F, 5.0F, 0, 0, 0};
    made.definition.output_offset = {-76.0F, 1.0F, 0.5F, 0, 0, 0};
    const std::vector<float> mapped = outputs_of(*on_cpu(made), features);
    for (std::size_t e = 0; e < plain.size(); ++e) {
        const std::size_t j = e % 6;
        const auto factor = static_cast<double>(made.definition.output_factor[j % 3]);
        const auto offset = static_cast<double>(made.definition.output_offset[j % 3]);
        const auto x = static_cast<double>(plain[e]);
        const double expected = j < 3 ? x * factor + offset : std::exp(x) * factor * factor;
        EXPECT_NEAR(mapped[e], expected, 0x1p-22 * std::abs(expected)) << j;
    }
}

TEST(CommitteeNetwork, variances_of_a_normalised_target_alone) {
    MadeNetwork made = make_network({4, {10}, 2, 1}, 30);
    made.definition.first_variance = 1;
    const std::vector<float> out = outputs_of(*on_cpu(made), {0.1F, 0.2F, 0.3F, 0.4F});
    made.definition.first_variance = 2;
    const std::vector<float> plain = outputs_of(*on_cpu(made), {0.1F, 0.2F, 0.3F, 0.4F});
    EXPECT_EQ(out[0], plain[0]);
    EXPECT_FLOAT_EQ(out[1], std::exp(plain[1]));
}

TEST(CommitteeNetwork, a_bad_feature_spoils_its_own_row_alone) {
    const MadeNetwork made = make_network({19, {9}, 5, 3}, 31);
    const auto network = on_cpu(made);
    const std::vector<float> features = random_floats(19 * 30, 32);
    const std::vector<float> clean = outputs_of(*network, features);
    for (const float bad : {std::nanf(""), infinity, -infinity})
        for (std::size_t e = 0; e < 19; ++e)
            for (const std::size_t row : {0, 17, 29}) {
                std::vector<float> broken = features;
                broken[row * 19 + e] = bad;
                const std::vector<float> out = outputs_of(*network, broken);
                for (std::size_t i = 0; i < out.size(); ++i) {
                    if (i / 15 == row)
                        ASSERT_TRUE(std::isnan(out[i])) << bad << " in feature " << e;
                    else
                        ASSERT_EQ(out[i], clean[i]) << bad << " in feature " << e;
                }
            }
}

TEST(CommitteeNetwork, an_infinite_sum_leaves_one_kind_of_nan) {
    MadeNetwork made = make_network({1, {2}, 1, 1, Activation::identity}, 33);
    made.memory.push_back({3e38F, 3e38F});
    made.definition.members[0][0].weight = made.memory.back().data();
    made.memory.push_back({1.0F, -1.0F});
    made.definition.members[0][1].weight = made.memory.back().data();
    const std::vector<float> out = outputs_of(*on_cpu(made), {1e20F});
    EXPECT_EQ(bits_of(out[0]), bits_of(not_a_number));
}

void expect_refused(const MadeNetwork& made, const std::string& part) {
    test::expect_error(ExitCode::bad_data, part, [&] { on_cpu(made); });
}

TEST(CommitteeNetwork, refuses_layers_that_do_not_fit) {
    MadeNetwork made = make_network({4, {10}, 2, 2}, 34);
    made.definition.members[1][0].outputs = 9;
    expect_refused(made, "member 1, layer 1 takes 10 inputs, but gets 9");
    made = make_network({4, {10}, 2, 2}, 34);
    made.definition.members[1][1].outputs = 1;
    expect_refused(made, "member 1 has 1 outputs, not 2");
    made = make_network({4, {10}, 2, 2}, 34);
    made.definition.dim = 5;
    expect_refused(made, "member 0, layer 0 takes 4 inputs, but gets 5");
    made = make_network({4, {10}, 2, 2}, 34);
    made.definition.members[0].clear();
    expect_refused(made, "member 0 has no layers");
    made.definition.members.clear();
    expect_refused(made, "no members");
}

TEST(CommitteeNetwork, refuses_maps_that_do_not_fit) {
    MadeNetwork made = make_network({4, {10}, 2, 2}, 35);
    made.definition.input_factor = {1.0F};
    expect_refused(made, "input_factor has 1 values, not 4");
    made = make_network({4, {10}, 3, 2}, 35);
    made.definition.first_variance = 1;
    expect_refused(made, "cannot be variances");
    made = make_network({4, {10}, 4, 2}, 35);
    made.definition.first_variance = 3;
    made.definition.output = ScoreInput::gaussian_predictions;
    expect_refused(made, "predictions and variances differ in number");
    made.definition.output = ScoreInput::logits;
    expect_refused(made, "several members");
    made.definition.output = ScoreInput::features;
    expect_refused(made, "has to say something");
}

}  // namespace
}  // namespace sluice::kernels
