#include "pool/made_inputs.hpp"

#include "h5/input_file.hpp"
#include "made_pools.hpp"
#include "pool/made_precise.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace sluice::pool {
namespace {

double ulps(double found, double exact) {
    const double step = std::nextafter(std::fabs(exact), std::numeric_limits<double>::infinity()) -
                        std::fabs(exact);
    return std::fabs(found - exact) / step;
}

TEST(MadePrecise, exp_is_accurate) {
    for (double x = -20.0; x < 20.0; x += 0.00037) {
        EXPECT_LE(ulps(precise_exp(x), std::exp(x)), 3.0) << x;
    }
    EXPECT_EQ(precise_exp(0.0), 1.0);
}

TEST(MadePrecise, log_is_accurate) {
    for (double x = -300.0; x < 300.0; x += 0.00737) {
        const double value = std::exp(x);
        EXPECT_LE(ulps(precise_log(value), std::log(value)), 3.0) << value;
    }
    for (double x = 0.5; x < 2.0; x += 0.00013)
        EXPECT_LE(ulps(precise_log(x), std::log(x)), 3.0) << x;
    EXPECT_EQ(precise_log(1.0), 0.0);
}

TEST(MadePrecise, sine_and_cosine_are_accurate_and_exact_at_right_angles) {
    for (double degrees = -700.0; degrees < 700.0; degrees += 0.0137) {
        const PreciseSineCosine found = precise_sine_cosine(degrees);
        const double angle = degrees * (std::numbers::pi / 180.0);
        EXPECT_NEAR(found.sine, std::sin(angle), 3e-15) << degrees;
        EXPECT_NEAR(found.cosine, std::cos(angle), 3e-15) << degrees;
    }
    EXPECT_EQ(precise_sine_cosine(180.0).sine, 0.0);
    EXPECT_EQ(precise_sine_cosine(-90.0).sine, -1.0);
    EXPECT_EQ(precise_sine_cosine(270.0).cosine, 0.0);
    EXPECT_LE(ulps(precise_sine_cosine(30.0).sine, 0.5), 1.0);
}

// --- whole pools ---------------------------------------------------------------------------------

MakeOptions case_options(const std::string& kind, const std::string& path, RowId num_rows) {
    MakeOptions options;
    options.kind = kind;
    options.path = path;
    options.num_rows = num_rows;
    options.seed = 3;
    return options;
}

double distance(const double* left, const double* right) {
    return std::hypot(left[0] - right[0], left[1] - right[1], left[2] - right[2]);
}

TEST(MadeInputs, pools_hold_features_and_named_inputs_and_nothing_else) {
    const std::map<std::string, std::pair<std::int64_t, std::int64_t>> widths = {
        {"water-dimer", {9, 22}}, {"lj-cluster", {21, 21}}, {"amplifier", {5, 5}}};
    for (const auto& [kind, width] : widths) {
        const test::TemporaryDirectory directory;
        comm::Communicator alone;
        MakeOptions options = case_options(kind, directory.file("pool.h5"), 30);
        options.type = ElementType::float16;  // of the features; inputs keep all digits
        make_pool(options, alone);
        const h5::InputFile file(options.path);
        EXPECT_EQ(file.dims("features"), (std::vector<std::int64_t>{30, width.first}));
        EXPECT_EQ(file.dims("inputs"), (std::vector<std::int64_t>{30, width.second}));
        EXPECT_FALSE(file.has("probabilities"));
        EXPECT_EQ(file.attribute_text("/", "made_kind"), kind);
        PoolSource source;
        source.files = {options.path};
        const Pool pool = open_pool(source, alone);
        EXPECT_EQ(pool.get("inputs", "test").type, ElementType::float64);
        EXPECT_EQ(pool.get("features", "test").type, ElementType::float16);
    }
}

TEST(MadeInputs, committees_can_be_asked_for) {
    for (const char* kind : {"water-dimer", "lj-cluster", "amplifier"}) {
        MakeOptions options = case_options(kind, "", 300);
        options.members = 3;
        options.outputs = 2;
        const std::vector<double> values = made_values(options, "predictions");
        ASSERT_EQ(values.size(), 1800U);
        EXPECT_GT(*std::max_element(values.begin(), values.end()), 0.5);
        EXPECT_NE(values[0], values[2]);  // two members
    }
}

// The dimer's atoms: rigid molecules, R apart, at the angles that stand beside them.
TEST(MadeInputs, water_molecules_are_rigid_and_placed_by_their_parameters) {
    constexpr std::size_t width = 22;
    constexpr double bond = 0.9572;
    const double hydrogens = 2.0 * bond * std::sin(52.26 * std::numbers::pi / 180.0);
    const std::vector<double> inputs = made_values(case_options("water-dimer", "", 500), "inputs");
    for (std::size_t row = 0; row < inputs.size(); row += width) {
        const double* const atoms = &inputs[row + 4];
        const auto apart = [&](int i, int j) { return distance(atoms + 3 * i, atoms + 3 * j); };
        EXPECT_GE(inputs[row], 1.5);
        EXPECT_LE(inputs[row], 6.0);
        EXPECT_NEAR(apart(0, 3), inputs[row], 1e-12);
        for (const auto& [oxygen, hydrogen] : {std::pair{0, 1}, {0, 2}, {3, 4}, {3, 5}})
            EXPECT_NEAR(apart(oxygen, hydrogen), bond, 1e-12);
        EXPECT_NEAR(apart(1, 2), hydrogens, 1e-12);
        EXPECT_NEAR(apart(4, 5), hydrogens, 1e-12);
        const double degree = std::numbers::pi / 180.0;
        EXPECT_NEAR(std::atan2(atoms[3], atoms[5]), inputs[row + 1] * degree, 1e-12);
        // The second molecule's axis leans by b, its hydrogens' line is turned by t.
        const double axis = (atoms[14] + atoms[17]) / 2.0 - inputs[row];
        EXPECT_NEAR(axis, bond * std::cos(52.26 * degree) * std::cos(inputs[row + 2] * degree),
                    1e-12);
        EXPECT_NEAR(atoms[15] - atoms[12], hydrogens * std::cos(inputs[row + 3] * degree), 1e-12);
        EXPECT_NEAR(atoms[16] - atoms[13], hydrogens * std::sin(inputs[row + 3] * degree), 1e-12);
    }
}

// Inverse distances between the atoms `left` and `right`, from near to far.
std::vector<double> inverse_distances(const double* atoms, const std::vector<int>& left,
                                      const std::vector<int>& right) {
    std::vector<double> values;
    for (const int i : left) {
        for (const int j : right) {
            if (left == right && j <= i) continue;
            values.push_back(1.0 / distance(atoms + 3 * i, atoms + 3 * j));
        }
    }
    std::sort(values.begin(), values.end(), std::greater<>());
    return values;
}

// Distances know nothing of place and direction; sorted by kind, nothing of the atoms' numbers.
TEST(MadeInputs, features_are_sorted_inverse_distances) {
    MakeOptions options = case_options("water-dimer", "", 200);
    std::vector<double> inputs = made_values(options, "inputs");
    std::vector<double> features = made_values(options, "features");
    for (std::size_t row = 0; row < 200; ++row) {
        const double* const atoms = &inputs[row * 22 + 4];
        std::vector<double> expected = inverse_distances(atoms, {0}, {3});
        std::vector<double> mixed = inverse_distances(atoms, {0}, {4, 5});
        const std::vector<double> others = inverse_distances(atoms, {1, 2}, {3});
        mixed.insert(mixed.end(), others.begin(), others.end());
        std::sort(mixed.begin(), mixed.end(), std::greater<>());
        expected.insert(expected.end(), mixed.begin(), mixed.end());
        const std::vector<double> hydrogens = inverse_distances(atoms, {1, 2}, {4, 5});
        expected.insert(expected.end(), hydrogens.begin(), hydrogens.end());
        for (std::size_t d = 0; d < 9; ++d)
            EXPECT_NEAR(features[row * 9 + d], expected[d], 1e-6 * expected[d]);
    }
    options.kind = "lj-cluster";
    inputs = made_values(options, "inputs");
    features = made_values(options, "features");
    const std::vector<int> all = {0, 1, 2, 3, 4, 5, 6};
    for (std::size_t row = 0; row < 200; ++row) {
        const std::vector<double> expected = inverse_distances(&inputs[row * 21], all, all);
        for (std::size_t d = 0; d < 21; ++d)
            EXPECT_NEAR(features[row * 21 + d], expected[d], 1e-6 * expected[d]);
    }
}

// The shares of cases that the oracle has to refuse, as the kinds promise them.
TEST(MadeInputs, some_clusters_overlap_and_some_leave_the_box) {
    const std::vector<double> inputs = made_values(case_options("lj-cluster", "", 8192), "inputs");
    const std::vector<int> all = {0, 1, 2, 3, 4, 5, 6};
    int overlapping = 0;
    int outside = 0;
    for (std::size_t row = 0; row < inputs.size(); row += 21) {
        overlapping += inverse_distances(&inputs[row], all, all).front() > 1.0 / (0.75 * 3.4);
        const auto leaves = [](double value) { return std::fabs(value) > 5.65; };
        outside += std::any_of(&inputs[row], &inputs[row] + 21, leaves);
    }
    EXPECT_NEAR(overlapping, 0.02 * 8192, 0.005 * 8192);
    EXPECT_NEAR(outside, 0.01 * 8192, 0.004 * 8192);
}

TEST(MadeInputs, amplifiers_stay_in_their_ranges_and_features_are_scaled) {
    const MakeOptions options = case_options("amplifier", "", 1024);
    const std::vector<double> inputs = made_values(options, "inputs");
    const std::vector<double> features = made_values(options, "features");
    const std::array<double, 5> low = {2e-6, 0.5e-6, 1e3, 0.69, 0.2e-12};
    const std::array<double, 5> high = {50e-6, 5e-6, 30e3, 1.1, 10e-12};
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const std::size_t d = i % 5;
        EXPECT_GE(inputs[i], low[d] * (1.0 - 1e-12));
        EXPECT_LE(inputs[i], high[d] * (1.0 + 1e-12));
        const double share = d == 3 ? (inputs[i] - low[d]) / (high[d] - low[d])
                                    : std::log(inputs[i] / low[d]) / std::log(high[d] / low[d]);
        EXPECT_NEAR(features[i], 2.0 * share - 1.0, 1e-6);
    }
}

}  // namespace
}  // namespace sluice::pool
