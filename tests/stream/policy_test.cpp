#include "stream/policy.hpp"

#include "core/error.hpp"
#include "core/philox.hpp"
#include "tests/support/expect_error.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace sluice::stream {
namespace {

using Kind = Decision::Kind;

std::vector<double> certainties(std::size_t count) {
    std::mt19937_64 random(5);
    std::uniform_real_distribution<double> uniform(0.5, 1.0);
    std::vector<double> values(count);
    for (double& value : values)
        value = uniform(random);
    return values;
}

double share(const PolicyOptions& options, std::size_t items) {
    StreamState state = initial_state(options);
    for (const double certainty : certainties(items))
        decide(options, {certainty, {}}, state);
    EXPECT_EQ(state.seen, static_cast<std::int64_t>(items));
    return static_cast<double>(state.asked) / static_cast<double>(items);
}

TEST(Policy, a_fixed_threshold_asks_below_it) {
    PolicyOptions options;
    options.policy = "threshold";
    options.budget = 1.0;
    options.threshold = 0.7;
    StreamState state = initial_state(options);
    for (const double certainty : certainties(500)) {
        const bool may = state.spending / 100.0 < 1.0;
        EXPECT_EQ(decide(options, {certainty, {}}, state).kind == Kind::ask,
                  may && certainty < 0.7);
    }
}

// Algorithms 1 and 3 of the paper, written down again, with the total kept within the budget.
TEST(Policy, a_variable_threshold_moves_as_published) {
    PolicyOptions options;
    options.budget = 0.2;
    options.window = 50;
    StreamState state = initial_state(options);
    double threshold = 1.0;
    double spending = 0.0;
    double asked = 0.0;
    double seen = 0.0;
    for (const double certainty : certainties(3000)) {
        bool ask = false;
        if (spending / 50.0 < 0.2 && asked < 0.2 * (seen + 1.0)) {
            ask = certainty < threshold;
            threshold *= ask ? 1.0 - 0.01 : 1.0 + 0.01;
        }
        spending = spending * (49.0 / 50.0) + (ask ? 1.0 : 0.0);
        asked += ask ? 1.0 : 0.0;
        seen += 1.0;
        EXPECT_EQ(decide(options, {certainty, {}}, state).kind == Kind::ask, ask);
        ASSERT_DOUBLE_EQ(state.threshold, threshold);
        ASSERT_DOUBLE_EQ(state.spending, spending);
    }
}

TEST(Policy, what_is_asked_for_comes_to_the_budget) {
    for (const char* name : {"variable", "variable_random"}) {
        for (const double budget : {0.02, 0.1, 0.3}) {
            PolicyOptions options;
            options.policy = name;
            options.budget = budget;
            EXPECT_NEAR(share(options, 20'000), budget, 0.01 * budget) << name;
        }
    }
}

TEST(Policy, a_random_factor_asks_for_certain_items_too) {
    PolicyOptions options;
    options.policy = "variable_random";
    options.budget = 0.3;
    StreamState state = initial_state(options);
    state.threshold = 0.9;
    std::int64_t certain = 0;
    for (int i = 0; i < 2000; ++i)
        certain += decide(options, {0.99, {}}, state).kind == Kind::ask ? 1 : 0;
    EXPECT_GT(certain, 100);
}

TEST(Policy, the_random_factor_is_standard_normal_times_the_spread) {
    PolicyOptions options;
    options.policy = "variable_random";
    options.spread = 0.25;
    double sum = 0.0;
    double squares = 0.0;
    constexpr int count = 20'000;
    for (int i = 0; i < count; ++i) {
        StreamState state = initial_state(options);
        state.seen = i;
        const double factor = decide(options, {2.0, {}}, state).bound;
        sum += factor;
        squares += (factor - 1.0) * (factor - 1.0);
    }
    EXPECT_NEAR(sum / count, 1.0, 0.01);
    EXPECT_NEAR(std::sqrt(squares / count), 0.25, 0.01);
}

TEST(Policy, nothing_counts_but_options_items_and_state) {
    for (const PolicyDefinition& definition : policy_definitions()) {
        PolicyOptions options;
        options.policy = definition.name;
        options.threshold = 0.8;
        StreamState one = initial_state(options);
        for (int i = 0; i < 200; ++i) {
            const Item item{0.5 + 0.002 * i, {std::cos(0.1 * i), 1.0, 0.01 * i}};
            StreamState other = one;  // as if it had been saved and loaded
            const Decision first = decide(options, item, one);
            const Decision second = decide(options, item, other);
            EXPECT_EQ(first.kind, second.kind);
            EXPECT_EQ(first.bound, second.bound);
            EXPECT_EQ(one.inverse, other.inverse);
        }
    }
}

TEST(Policy, names_and_aliases_are_known) {
    EXPECT_EQ(find_policy("vessal").name, "volume");
    EXPECT_EQ(find_policy("var_uncertainty").name, "variable");
    test::expect_error(ExitCode::usage, "did you mean variable?", [] { find_policy("varable"); });
}

}  // namespace
}  // namespace sluice::stream
