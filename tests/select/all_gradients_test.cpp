/// Gradients by all layers against difference quotients of plain nets in double precision, and
/// their sketches against what they should keep.

#include "model/train.hpp"
#include "select/embedding.hpp"
#include "select/embedding/product_sketch.hpp"
#include "tests/model/training_fixture.hpp"
#include "tests/support/training_oracle.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace sluice::select {
namespace {

constexpr std::int64_t dim = 5;
constexpr std::int64_t num_rows = 70;  // more than are embedded at once

class AllGradients : public ::testing::Test {
  protected:
    void SetUp() override {
        for (std::int64_t i = 0; i < num_rows * dim; ++i)
            features_.push_back(3.0F * test::made_number(1000 + i / dim, i % dim));
    }

    void train(model::Head head, std::vector<std::int64_t> hidden,
               kernels::Activation activation = kernels::Activation::tanh) {
        const bool is_class = head == model::Head::softmax;
        model::TrainOptions options = test::small_options();
        options.head = head;
        options.hidden = std::move(hidden);
        options.activation = activation;
        options.members = 2;
        options.max_epochs = 5;
        committee_ = model::train_committee(
            is_class ? test::made_classes(60, dim, 4) : test::made_numbers(60, dim, 2), options);
    }

    std::vector<float> embed(std::int64_t length, std::uint64_t seed,
                             std::span<const float> features) {
        const auto network = model::run_network(committee_, kernels::Backend::cpu, "model.h5");
        const auto embedder = embed_by_model({DiversifyOn::all_gradients, length, seed}, committee_,
                                             network, kernels::Backend::cpu, "model.h5");
        size_ = embedder->dim();
        std::vector<float> out(features.size() / dim * static_cast<std::size_t>(size_), 7.0F);
        embedder->embed(features, out);
        return out;
    }
    std::vector<float> embed(std::int64_t length, std::uint64_t seed) {
        return embed(length, seed, features_);
    }

    oracle::Values inputs(std::int64_t row) const {
        oracle::Values x;
        for (std::int64_t k = 0; k < dim; ++k) {
            const double value = features_[static_cast<std::size_t>(row * dim + k)];
            const auto at = static_cast<std::size_t>(k);
            x.push_back((value - committee_.input.mean[at]) / committee_.input.scale[at]);
        }
        return x;
    }

    // What the outputs' gradients are weighted with.
    oracle::Values errors(const oracle::Values& outputs) const {
        oracle::Values result(outputs.size(), 0.0);
        if (committee_.task == model::Task::regression) {
            std::fill_n(result.begin(), committee_.outputs, 1.0);
            return result;
        }
        double sum = 0.0;
        for (std::size_t c = 0; c < outputs.size(); ++c)
            sum += result[c] = std::exp(outputs[c] / committee_.temperature);
        for (double& value : result)
            value /= sum;
        *std::max_element(result.begin(), result.end()) -= 1.0;
        return result;
    }

    // Quotients of differences in each weight [inputs][outputs], then each bias.
    oracle::Values gradient(std::int64_t row) const {
        oracle::Values result;
        const auto members = static_cast<double>(committee_.networks.size());
        for (const model::Network& network : committee_.networks) {
            oracle::Net net = oracle::net_of(network);
            const oracle::Values weights = errors(oracle::outputs_of(net, inputs(row)));
            const auto number = [&] {
                const oracle::Values outputs = oracle::outputs_of(net, inputs(row));
                return std::inner_product(outputs.begin(), outputs.end(), weights.begin(), 0.0);
            };
            const auto quotient = [&](double& parameter) {
                constexpr double step = 1e-5;
                const double kept = parameter;
                parameter = kept + step;
                const double above = number();
                parameter = kept - step;
                const double below = number();
                parameter = kept;
                return (above - below) / (2.0 * step) / std::sqrt(members);
            };
            for (oracle::DenseLayer& layer : net) {
                if (layer.activation == kernels::Activation::cosine) continue;
                for (std::size_t k = 0; k < layer.inputs; ++k)
                    for (std::size_t o = 0; o < layer.outputs; ++o)
                        result.push_back(quotient(layer.weight[o * layer.inputs + k]) /
                                         std::sqrt(double(layer.inputs)));
                for (double& bias : layer.bias)
                    result.push_back(quotient(bias));
            }
        }
        return result;
    }

    void expect_gradients() {
        const std::vector<float> ours = embed(0, 3);
        for (const std::int64_t i : {0, 1, 30, 63, 64, 69}) {
            const oracle::Values expected = gradient(i);
            ASSERT_EQ(size_, std::ssize(expected));
            for (std::int64_t k = 0; k < size_; ++k)
                EXPECT_NEAR(ours[static_cast<std::size_t>(i * size_ + k)],
                            expected[static_cast<std::size_t>(k)], 2e-5)
                    << i << " " << k;
        }
    }

    std::vector<float> features_;
    model::Committee committee_;
    std::int64_t size_ = 0;
};

TEST_F(AllGradients, of_a_regression) {
    for (const auto activation :
         {kernels::Activation::tanh, kernels::Activation::silu, kernels::Activation::relu}) {
        train(model::Head::squares, {6, 7}, activation);
        expect_gradients();
    }
    train(model::Head::squares, {});
    expect_gradients();
}

TEST_F(AllGradients, of_predictions_without_variances) {
    train(model::Head::gaussian, {6});
    expect_gradients();
}

TEST_F(AllGradients, of_classes) {
    train(model::Head::softmax, {6, 5});
    committee_.temperature = 1.5F;
    expect_gradients();
}

TEST_F(AllGradients, stop_above_a_fixed_layer) {
    train(model::Head::squares, {6}, kernels::Activation::tanh);
    for (model::Network& net : committee_.networks)
        net.layers.front().activation = kernels::Activation::cosine;
    expect_gradients();
    EXPECT_EQ(size_, 2 * 7 * 2);
}

TEST_F(AllGradients, a_row_has_the_same_vector_in_any_company) {
    train(model::Head::squares, {6, 7});
    for (const std::int64_t length : {0, 100}) {
        const std::vector<float> all = embed(length, 3);
        for (const std::int64_t i : {0, 5, 64}) {
            const std::vector<float> alone = embed(
                length, 3, std::span(features_).subspan(static_cast<std::size_t>(i * dim), dim));
            EXPECT_TRUE(std::equal(alone.begin(), alone.end(), all.begin() + i * size_)) << i;
        }
    }
}

TEST_F(AllGradients, of_a_row_with_a_value_that_is_not_finite_are_not) {
    train(model::Head::squares, {6}, kernels::Activation::relu);
    features_[2 * dim + 1] = std::numeric_limits<float>::infinity();
    const std::vector<float> ours = embed(16, 3);
    for (std::int64_t k = 0; k < size_; ++k) {
        EXPECT_FALSE(std::isfinite(ours[static_cast<std::size_t>(2 * size_ + k)]));
        EXPECT_TRUE(std::isfinite(ours[static_cast<std::size_t>(3 * size_ + k)]));
    }
}

TEST_F(AllGradients, keep_inner_products_on_average_when_sketched) {
    train(model::Head::squares, {6, 7});
    const oracle::Values x = gradient(0);
    const oracle::Values y = gradient(1);
    const auto dot = [](const auto& a, const auto& b) {
        return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
    };
    const double expected = dot(x, y);
    constexpr int num_seeds = 400;
    constexpr std::int64_t length = 32;
    double mean = 0.0;
    double variance = 0.0;
    for (std::uint64_t seed = 0; seed < num_seeds; ++seed) {
        const std::vector<float> both =
            embed(length, seed, std::span(features_).first(2 * static_cast<std::size_t>(dim)));
        double own = 0.0;
        for (std::size_t k = 0; k < length; ++k)
            own += double{both[k]} * double{both[length + k]};
        mean += own / num_seeds;
        variance += (own - expected) * (own - expected) / num_seeds;
    }
    const double bound = 8.0 * dot(x, x) * dot(y, y) / double(length);
    EXPECT_NEAR(mean, expected, 4.0 * std::sqrt(bound / num_seeds));
    EXPECT_LT(variance, 1.3 * bound);
    EXPECT_GT(variance, 0.0);
}

TEST(ProductSketch, adds_signed_products) {
    const ProductSketch sketch({1, 1, 200, 0.5F}, 4, 7);
    const float two = 2.0F;
    const float three = 3.0F;
    std::vector<float> out(200, 1.0F);
    sketch.add(&two, &three, 1, out.data());
    // (+-1 +-1) x +-3, and what was there.
    int zeros = 0;
    for (const float value : out) {
        zeros += value == 1.0F ? 1 : 0;
        EXPECT_TRUE(value == 1.0F || value == 7.0F || value == -5.0F) << value;
    }
    EXPECT_NEAR(zeros, 100, 40);
}

}  // namespace
}  // namespace sluice::select
