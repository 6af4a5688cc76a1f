#include "select/embedding.hpp"

#include "model/train.hpp"
#include "select/embedding/makers.hpp"
#include "tests/model/training_fixture.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/training_oracle.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace sluice::select {
namespace {

using test::expect_error;

constexpr std::int64_t dim = 5;
constexpr std::int64_t num_rows = 23;

std::vector<float> some_features() {
    std::vector<float> features;
    for (std::int64_t i = 0; i < num_rows; ++i)
        for (std::int64_t k = 0; k < dim; ++k)
            features.push_back(3.0F * test::made_number(1000 + i, k));
    return features;
}

// A trained committee, its embedders, and what they should give, in double precision.
class Embeddings : public ::testing::Test {
  protected:
    void train(model::Head head, std::vector<std::int64_t> hidden) {
        const bool is_class = head == model::Head::softmax;
        model::TrainOptions options = test::small_options();
        options.head = head;
        options.hidden = std::move(hidden);
        options.members = 3;
        options.max_epochs = 5;
        committee_ = model::train_committee(
            is_class ? test::made_classes(60, dim, 4) : test::made_numbers(60, dim, 2), options);
        network_ = model::run_network(committee_, kernels::Backend::cpu, "model.h5");
    }

    std::vector<float> embed(EmbeddingRule rule) {
        const auto embedder =
            embed_by_model(rule, committee_, network_, kernels::Backend::cpu, "model.h5");
        size_ = embedder->dim();
        std::vector<float> out(static_cast<std::size_t>(num_rows * size_), 7.0F);
        embedder->embed(features_, out);
        return out;
    }

    oracle::Values inputs(std::int64_t row) const {
        oracle::Values x;
        for (std::int64_t k = 0; k < dim; ++k) {
            double value = features_[static_cast<std::size_t>(row * dim + k)];
            const auto at = static_cast<std::size_t>(k);
            if (!committee_.input.mean.empty())
                value = (value - committee_.input.mean[at]) / committee_.input.scale[at];
            x.push_back(value);
        }
        return x;
    }

    oracle::Values hidden(std::int64_t row, std::size_t member) const {
        oracle::Net net = oracle::net_of(committee_.networks[member]);
        net.pop_back();
        return oracle::outputs_of(net, inputs(row));
    }

    oracle::Values said(std::int64_t row, std::size_t member) const {
        oracle::Values values =
            oracle::outputs_of(oracle::net_of(committee_.networks[member]), inputs(row));
        if (committee_.task == model::Task::regression) {
            values.resize(static_cast<std::size_t>(committee_.outputs));
            for (std::size_t t = 0; t < values.size(); ++t)
                values[t] = values[t] * committee_.target.scale[t] + committee_.target.mean[t];
            return values;
        }
        double sum = 0.0;
        for (double& value : values)
            sum += value = std::exp(value / committee_.temperature);
        for (double& value : values)
            value /= sum;
        return values;
    }

    std::size_t members() const { return committee_.networks.size(); }

    // The gradient as its definition has it, [M][H + 1][C].
    oracle::Values gradient(std::int64_t row) const {
        oracle::Values result;
        for (std::size_t m = 0; m < members(); ++m) {
            oracle::Values errors{1.0};
            if (committee_.task == model::Task::classification) {
                errors = said(row, m);
                *std::max_element(errors.begin(), errors.end()) -= 1.0;
            }
            oracle::Values activations = hidden(row, m);
            activations.push_back(1.0);
            for (const double activation : activations)
                for (const double error : errors)
                    result.push_back(activation * error / std::sqrt(double(members())));
        }
        return result;
    }

    void expect_gradients() {
        const std::vector<float> ours = embed({DiversifyOn::gradients, 0, 3});
        for (std::int64_t i = 0; i < num_rows; ++i) {
            const oracle::Values expected = gradient(i);
            ASSERT_EQ(size_, std::ssize(expected));
            for (std::int64_t k = 0; k < size_; ++k)
                EXPECT_NEAR(ours[static_cast<std::size_t>(i * size_ + k)],
                            expected[static_cast<std::size_t>(k)], 2e-5)
                    << i << " " << k;
        }
    }

    void expect_covariance(double tolerance) {
        const std::vector<float> ours = embed({DiversifyOn::covariance, 0, 3});
        for (std::int64_t i = 0; i < num_rows; ++i)
            for (std::int64_t j = 0; j < num_rows; ++j)
                EXPECT_NEAR(inner(ours, i, j), covariance(i, j), tolerance) << i << " " << j;
    }

    double inner(const std::vector<float>& vectors, std::int64_t i, std::int64_t j) const {
        double sum = 0.0;
        for (std::int64_t k = 0; k < size_; ++k)
            sum += double{vectors[static_cast<std::size_t>(i * size_ + k)]} *
                   double{vectors[static_cast<std::size_t>(j * size_ + k)]};
        return sum;
    }

    // Of what the members say of two rows, summed over the outputs.
    double covariance(std::int64_t i, std::int64_t j) const {
        double sum = 0.0;
        for (std::size_t t = 0; t < static_cast<std::size_t>(committee_.outputs); ++t) {
            double mean_i = 0.0;
            double mean_j = 0.0;
            double both = 0.0;
            for (std::size_t m = 0; m < members(); ++m) {
                mean_i += said(i, m)[t] / double(members());
                mean_j += said(j, m)[t] / double(members());
            }
            for (std::size_t m = 0; m < members(); ++m)
                both += (said(i, m)[t] - mean_i) * (said(j, m)[t] - mean_j);
            sum += both / double(members());
        }
        return sum;
    }

    std::vector<float> features_ = some_features();
    model::Committee committee_;
    std::shared_ptr<const kernels::CommitteeNetwork> network_;
    std::int64_t size_ = 0;
};

TEST_F(Embeddings, gradients_of_classes) {
    train(model::Head::softmax, {6, 7});
    expect_gradients();
}

TEST_F(Embeddings, gradients_of_a_linear_head_are_of_its_features) {
    train(model::Head::softmax, {});
    expect_gradients();
}

TEST_F(Embeddings, gradients_of_a_regression) {
    train(model::Head::squares, {6});
    expect_gradients();
    train(model::Head::gaussian, {6});
    expect_gradients();
}

TEST_F(Embeddings, gradients_are_of_the_nets_without_dropout) {
    train(model::Head::softmax, {6});
    committee_.dropout = model::Dropout{4, 0.5F, 1};
    expect_gradients();
}

TEST_F(Embeddings, covariance_of_classes) {
    train(model::Head::softmax, {6});
    expect_covariance(1e-6);
}

TEST_F(Embeddings, covariance_of_predictions_without_variances) {
    train(model::Head::squares, {6});
    expect_covariance(1e-4);
    train(model::Head::gaussian, {6});
    expect_covariance(1e-4);
}

TEST_F(Embeddings, a_row_has_the_same_vector_in_any_company) {
    train(model::Head::softmax, {6});
    for (const DiversifyOn on : {DiversifyOn::gradients, DiversifyOn::covariance}) {
        const std::vector<float> all = embed({on, 8, 3});
        const auto embedder =
            embed_by_model({on, 8, 3}, committee_, network_, kernels::Backend::cpu, "model.h5");
        for (std::int64_t i = 0; i < num_rows; ++i) {
            std::vector<float> alone(8);
            embedder->embed(std::span(features_).subspan(static_cast<std::size_t>(i * dim), dim),
                            alone);
            EXPECT_TRUE(std::equal(alone.begin(), alone.end(), all.begin() + i * 8)) << i;
        }
    }
}

TEST_F(Embeddings, sketched_gradients_keep_inner_products_on_average) {
    train(model::Head::softmax, {6});
    const oracle::Values x = gradient(0);
    const oracle::Values y = gradient(1);
    const double expected = std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
    const double sizes = std::inner_product(x.begin(), x.end(), x.begin(), 0.0) *
                         std::inner_product(y.begin(), y.end(), y.begin(), 0.0);
    constexpr int num_seeds = 400;
    constexpr double length = 32;
    double mean = 0.0;
    double variance = 0.0;
    for (std::uint64_t seed = 0; seed < num_seeds; ++seed) {
        const double own = inner(embed({DiversifyOn::gradients, 32, seed}), 0, 1);
        mean += own / num_seeds;
        variance += (own - expected) * (own - expected) / num_seeds;
    }
    EXPECT_NEAR(mean, expected, 4.0 * std::sqrt(2.0 * sizes / length / num_seeds));
    EXPECT_LT(variance, 1.3 * 2.0 * sizes / length);
    EXPECT_GT(variance, 0.0);
}

TEST_F(Embeddings, refusals) {
    const auto embeds = [&](DiversifyOn on, std::int64_t length) {
        return [this, on, length] { embed({on, length, 1}); };
    };
    train(model::Head::softmax, {6});
    // 3 members x 7 x 4 gradients, 3 x 4 deviations.
    expect_error(ExitCode::usage, "is no shorter", embeds(DiversifyOn::gradients, 84));
    expect_error(ExitCode::usage, "of 12 numbers", embeds(DiversifyOn::covariance, 13));
    committee_.networks.resize(1);
    network_ = model::run_network(committee_, kernels::Backend::cpu, "model.h5");
    expect_error(ExitCode::usage, "model.h5 has one member", embeds(DiversifyOn::covariance, 0));
    EXPECT_NO_THROW(embeds(DiversifyOn::gradients, 0)());
    expect_error(ExitCode::usage, "choose features", [] { find_diversify_on("grads"); });
    const auto checks = [](DiversifyOn on, const char* rule) {
        return [on, rule] { check_embedding({on, 8, 1}, find_diversity(rule)); };
    };
    expect_error(ExitCode::usage, "--sketch-dim", checks(DiversifyOn::features, "lcmd"));
    expect_error(ExitCode::usage, "badge", checks(DiversifyOn::gradients, "badge"));
    expect_error(ExitCode::usage, "no distances", checks(DiversifyOn::gradients, "none"));
}

TEST_F(Embeddings, members_of_different_widths_are_refused) {
    train(model::Head::softmax, {6});
    const model::Network wide = committee_.networks.front();
    train(model::Head::softmax, {7});
    committee_.networks[1] = wide;
    expect_error(ExitCode::bad_data, "read 7 and 6 values", [&] {
        embed({DiversifyOn::gradients, 0, 1});
    });
}

TEST(Sketch, one_number_is_spread_over_four_parts) {
    const Sketch sketch(1000, 40, 9);
    std::vector<int> uses(40, 0);
    int num_negative = 0;
    for (std::int64_t i = 0; i < 1000; ++i) {
        std::vector<float> out(40, 0.0F);
        sketch.add(i, 1.0F, out.data());
        for (std::size_t part = 0; part < 4; ++part) {
            float size = 0.0F;
            for (std::size_t k = 10 * part; k < 10 * (part + 1); ++k) {
                size += std::fabs(out[k]);
                uses[k] += out[k] != 0.0F ? 1 : 0;
                num_negative += out[k] < 0.0F ? 1 : 0;
            }
            EXPECT_EQ(size, 1.0F);
        }
    }
    EXPECT_EQ(sketch.scale(), 0.5F);
    EXPECT_NEAR(num_negative, 2000, 150);
    for (const int count : uses)
        EXPECT_NEAR(count, 100, 50);
}

TEST(Sketch, of_its_own_length_changes_nothing) {
    const Sketch sketch(5, 5, 1);
    std::vector<float> out(5, 0.0F);
    for (std::int64_t i = 0; i < 5; ++i)
        sketch.add(i, static_cast<float>(i), out.data());
    EXPECT_EQ(out, (std::vector<float>{0, 1, 2, 3, 4}));
    EXPECT_EQ(sketch.scale(), 1.0F);
}

}  // namespace
}  // namespace sluice::select
