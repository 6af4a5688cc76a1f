#include "model/trainable_network.hpp"

#include "model/losses.hpp"
#include "model/random_numbers.hpp"
#include "tests/model/training_fixture.hpp"
#include "tests/support/training_oracle.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

namespace sluice::model {
namespace {

using kernels::Activation;

constexpr std::int64_t num_rows = 7;
constexpr std::int64_t dim = 5;

struct GradientCase {
    const char* name;
    Activation activation;
    Head head;
};

std::ostream& operator<<(std::ostream& out, const GradientCase& which) {
    return out << which.name;
}

class Gradients : public ::testing::TestWithParam<GradientCase> {
  protected:
    Gradients()
        : is_class_(GetParam().head == Head::softmax || GetParam().head == Head::hinge),
          set_(is_class_ ? test::made_classes(num_rows, dim, 3)
                         : test::made_numbers(num_rows, dim, 2)),
          loss_(make_loss(GetParam().head, set_, set_.targets)),
          net_({{dim, 6, GetParam().activation},
                {6, 4, GetParam().activation},
                {4, loss_->outputs(), Activation::identity}},
               num_rows, 11),
          entries_(num_rows) {
        std::iota(entries_.begin(), entries_.end(), 0);
    }

    kernels::DenseRows inputs() const { return {set_.features.data(), num_rows, dim}; }

    // The loss of all rows by the oracle.
    double oracle_loss(const oracle::Net& net) const {
        double sum = 0.0;
        for (std::int64_t i = 0; i < num_rows; ++i) {
            const float* features = set_.features.data() + i * dim;
            const oracle::Values said =
                oracle::outputs_of(net, oracle::Values(features, features + dim));
            sum += of_row(said, static_cast<std::size_t>(i));
        }
        return sum;
    }

    double of_row(const oracle::Values& said, std::size_t i) const {
        if (is_class_) {
            const auto truth = static_cast<std::size_t>(set_.classes[i]);
            return GetParam().head == Head::softmax ? oracle::cross_entropy(said, truth)
                                                    : oracle::squared_hinge(said, truth);
        }
        const oracle::Values wanted = {set_.targets[2 * i], set_.targets[2 * i + 1]};
        return GetParam().head == Head::squares ? oracle::mean_square(said, wanted)
                                                : oracle::normal_likelihood(said, wanted);
    }

    // d (mean loss) / d (one number of the net), by central differences in float64.
    double slope(oracle::Net net, const std::function<double&(oracle::Net&)>& number) const {
        constexpr double step = 1e-6;
        const double middle = number(net);
        number(net) = middle + step;
        const double above = oracle_loss(net);
        number(net) = middle - step;
        const double below = oracle_loss(net);
        return (above - below) / (2.0 * step) / static_cast<double>(num_rows);
    }

    bool is_class_;
    TrainingSet set_;
    std::unique_ptr<Loss> loss_;
    TrainableNetwork net_;
    std::vector<std::int64_t> entries_;
};

TEST_P(Gradients, agree_with_differences_of_an_independent_net) {
    const oracle::Net net = oracle::net_of({net_.layers()});
    const double total = loss_->measure(entries_, net_.forward(inputs(), {}));
    net_.backward(inputs());
    EXPECT_NEAR(total, oracle_loss(net), 1e-5 * (1.0 + std::fabs(total)));
    for (std::size_t l = 0; l < net.size(); ++l) {
        const std::vector<float> gradients = net_.gradients(l);
        const std::size_t inputs = net[l].inputs;
        const std::size_t outputs = net[l].outputs;
        for (std::size_t o = 0; o < outputs; ++o) {
            for (std::size_t k = 0; k < inputs; ++k) {
                const double expected = slope(
                    net, [&](oracle::Net& n) -> double& { return n[l].weight[o * inputs + k]; });
                EXPECT_NEAR(gradients[k * outputs + o], expected, 2e-5)
                    << "layer " << l << " weight " << o << "," << k;
            }
            const double expected =
                slope(net, [&](oracle::Net& n) -> double& { return n[l].bias[o]; });
            EXPECT_NEAR(gradients[inputs * outputs + o], expected, 2e-5)
                << "layer " << l << " bias " << o;
        }
    }
}

TEST_P(Gradients, forward_and_run_say_the_same) {
    const std::int64_t outputs = loss_->outputs();
    const float* forward = net_.forward(inputs(), {});
    const std::vector<float> kept(forward, forward + num_rows * outputs);
    const float* run = net_.run(inputs());
    EXPECT_EQ(kept, std::vector<float>(run, run + num_rows * outputs));
}

INSTANTIATE_TEST_SUITE_P(
    Each, Gradients,
    ::testing::Values(GradientCase{"silu_softmax", Activation::silu, Head::softmax},
                      GradientCase{"relu_softmax", Activation::relu, Head::softmax},
                      GradientCase{"tanh_softmax", Activation::tanh, Head::softmax},
                      GradientCase{"identity_softmax", Activation::identity, Head::softmax},
                      GradientCase{"silu_hinge", Activation::silu, Head::hinge},
                      GradientCase{"silu_squares", Activation::silu, Head::squares},
                      GradientCase{"tanh_gaussian", Activation::tanh, Head::gaussian}),
    [](const auto& which) { return which.param.name; });

TEST(Hinge, two_classes_have_one_decision_value) {
    const TrainingSet set = test::made_classes(2, 2, 2);
    const auto loss = make_loss(Head::hinge, set, {});
    ASSERT_EQ(loss->outputs(), 1);
    alignas(64) float said[16] = {0.25F, -0.5F};
    const std::vector<std::int64_t> entries = {0, 1};  // of class 0 and of class 1
    const double expected = oracle::squared_hinge({0.25}, 0) + oracle::squared_hinge({-0.5}, 1);
    EXPECT_NEAR(loss->measure(entries, said), expected, 1e-6);
    EXPECT_FLOAT_EQ(said[0], 1.25F);  // 2 * 1.25 / 2 rows
    EXPECT_FLOAT_EQ(said[1], -1.5F);
}

TEST(Dropout, of_training_scales_what_it_keeps_and_its_gradient) {
    TrainableNetwork net({{dim, 64, Activation::relu}, {64, 1, Activation::identity}}, 1, 3);
    const TrainingSet set = test::made_numbers(1, dim, 1);
    const kernels::DenseRows row{set.features.data(), 1, dim};
    net.forward(row, TrainingDropout{0.5F, 9, 1})[0] = 1.0F;
    net.backward(row);
    const std::vector<float> last = net.gradients(1);  // = the hidden values
    const oracle::Net hidden = {oracle::net_of({net.layers()})[0]};
    const oracle::Values values =
        oracle::outputs_of(hidden, oracle::Values(set.features.begin(), set.features.end()));
    int dropped = 0;
    for (std::size_t u = 0; u < 64; ++u) {
        const bool zero = last[u] == 0.0F;
        if (zero && values[u] > 0.0) ++dropped;
        EXPECT_NEAR(last[u], zero ? 0.0 : 2.0 * values[u], 1e-5);
    }
    EXPECT_GT(dropped, 5);
    EXPECT_LT(dropped, 30);
}

// By hand: w = 1, learning rate 0.1, gradients 1 and -0.5, beta 0.9 and 0.999.
TEST(Adam, follows_the_published_algorithm) {
    alignas(64) float weights[16] = {1.0F};
    alignas(64) float means[16] = {};
    alignas(64) float squares[16] = {};
    alignas(64) float gradients[16] = {1.0F};
    kernels::AdamRates rates;
    rates.step = 0.1F / 0.1F;
    rates.square_scale = 1.0F / std::sqrt(0.001F);
    const kernels::AdamMemory memory{weights, means, squares, gradients};
    kernels::training_passes().adam(rates, memory, 1);
    EXPECT_NEAR(weights[0], 0.9, 1e-6);
    gradients[0] = -0.5F;
    rates.step = 0.1F / 0.19F;
    rates.square_scale = 1.0F / std::sqrt(0.001999F);
    kernels::training_passes().adam(rates, memory, 1);
    // m = 0.09 - 0.05 = 0.04, m^ = 0.21052632; v = 0.000999 + 0.00025 = 0.001249, v^ = 0.62481241
    EXPECT_NEAR(means[0], 0.04, 1e-7);
    EXPECT_NEAR(squares[0], 0.001249, 1e-9);
    EXPECT_NEAR(weights[0], 0.9 - 0.1 * 0.21052632 / 0.79045077, 1e-6);
}

TEST(Adam, decay_shrinks_weights_apart_from_the_gradient) {
    alignas(64) float weights[16] = {2.0F};
    alignas(64) float means[16] = {};
    alignas(64) float squares[16] = {};
    alignas(64) float gradients[16] = {};
    kernels::AdamRates rates;
    rates.keep = 0.75F;
    kernels::training_passes().adam(rates, {weights, means, squares, gradients}, 1);
    EXPECT_EQ(weights[0], 1.5F);
    EXPECT_EQ(squares[0], 0.0F);
}

TEST(RandomNumbers, have_the_moments_of_their_distributions) {
    std::vector<float> normal(40'000);
    fill_normal({5, RandomPurpose::initial_weights, 0}, normal);
    std::vector<float> uniform(40'000);
    fill_uniform({5, RandomPurpose::initial_weights, 1}, -2.0F, 2.0F, uniform);
    const auto moment = [](const std::vector<float>& values, int power) {
        double sum = 0.0;
        for (const float value : values)
            sum += std::pow(static_cast<double>(value), power);
        return sum / static_cast<double>(values.size());
    };
    EXPECT_NEAR(moment(normal, 1), 0.0, 0.02);  // 4 standard errors
    EXPECT_NEAR(moment(normal, 2), 1.0, 0.03);
    EXPECT_NEAR(moment(normal, 3), 0.0, 0.08);
    EXPECT_NEAR(moment(normal, 4), 3.0, 0.2);
    EXPECT_NEAR(moment(uniform, 1), 0.0, 0.03);
    EXPECT_NEAR(moment(uniform, 2), 4.0 / 3.0, 0.03);
}

}  // namespace
}  // namespace sluice::model
