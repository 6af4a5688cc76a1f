#include "pool/made_kinds.hpp"

#include "core/sha256.hpp"
#include "made_pools.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace sluice::pool {
namespace {

// The values are part of what users see: the same seed gives the same pool on every machine and
// in every version that keeps format_version.
TEST(MadeKinds, inputs_never_change) {
    const std::map<std::string, std::string> known = {{"water-dimer", "6d2202336494be94"},
                                                      {"lj-cluster", "1954541fc398cb08"},
                                                      {"amplifier", "759304bb8161d1e0"}};
    for (const auto& [kind, digest] : known) {
        MakeOptions options;
        options.kind = kind;
        options.num_rows = 40;
        options.seed = 11;
        Sha256 hash;
        for (const char* role : {"features", "inputs"}) {
            const std::vector<double> values = made_values(options, role);
            hash.update(std::as_bytes(std::span(values)));
        }
        EXPECT_EQ(hash.hex_digest().substr(0, 16), digest) << kind;
    }
}

TEST(MadeKinds, values_never_change) {
    const std::map<std::string, std::string> known = {{"gaussian", "0661dd223f2738ec"},
                                                      {"blobs", "5349ff20a7e5cbc6"},
                                                      {"clusters", "5eb7bdc54cdd7181"},
                                                      {"manifold", "b4ed8786e6e1de41"},
                                                      {"sphere", "c299f9bfcd35fa22"}};
    for (const auto& [kind, digest] : known) {
        const MakeOptions options = full_options(kind, "", 40);
        Sha256 hash;
        for (const char* role : {"features", "probabilities", "committee", "predictions"}) {
            const std::vector<double> values = made_values(options, role);
            hash.update(std::as_bytes(std::span(values)));
        }
        EXPECT_EQ(hash.hex_digest().substr(0, 16), digest) << kind;
    }
}

MakeOptions plain_options(const std::string& kind, RowId num_rows, std::int64_t dim) {
    MakeOptions options;
    options.kind = kind;
    options.num_rows = num_rows;
    options.dim = dim;
    options.classes = 10;
    return options;
}

double squared_distance(const double* left, const double* right, std::size_t dim) {
    double sum = 0.0;
    for (std::size_t d = 0; d < dim; ++d)
        sum += (left[d] - right[d]) * (left[d] - right[d]);
    return sum;
}

// Estimates the dimension of the set that rows lie on from the ratio of each row's distances to
// its two nearest others.
// \source Facco et al., "Estimating the intrinsic dimension of datasets by a minimal neighborhood
//         information", Scientific Reports 2017
double intrinsic_dimension(const std::vector<double>& values, std::size_t dim) {
    const std::size_t num_rows = values.size() / dim;
    double logarithms = 0.0;
    for (std::size_t i = 0; i < num_rows; ++i) {
        double nearest = INFINITY;
        double second = INFINITY;
        for (std::size_t j = 0; j < num_rows; ++j) {
            if (i == j) continue;
            const double found = squared_distance(&values[i * dim], &values[j * dim], dim);
            if (found < second) second = found;
            if (second < nearest) std::swap(nearest, second);
        }
        logarithms += 0.5 * std::log(second / nearest);
    }
    return static_cast<double>(num_rows) / logarithms;
}

TEST(MadeKinds, gaussian_has_mean_0_and_variance_1_in_every_dimension) {
    constexpr std::size_t dim = 8;
    const std::vector<double> values =
        made_values(plain_options("gaussian", 20000, dim), "features");
    for (std::size_t d = 0; d < dim; ++d) {
        double sum = 0.0;
        double squares = 0.0;
        for (std::size_t i = d; i < values.size(); i += dim) {
            sum += values[i];
            squares += values[i] * values[i];
        }
        EXPECT_NEAR(sum / 20000, 0.0, 0.03);
        EXPECT_NEAR(squares / 20000, 1.0, 0.04);
    }
    EXPECT_GT(intrinsic_dimension({values.begin(), values.begin() + 1000 * dim}, dim), 5.0);
}

TEST(MadeKinds, manifold_is_a_sheet_of_two_dimensions) {
    const std::vector<double> values = made_values(plain_options("manifold", 1000, 16), "features");
    EXPECT_NEAR(intrinsic_dimension(values, 16), 2.0, 0.4);
}

TEST(MadeKinds, blobs_are_of_equal_size_and_their_classes_can_be_told) {
    const MakeOptions options = plain_options("blobs", 1000, 16);
    const std::vector<double> features = made_values(options, "features");
    const std::vector<double> probabilities = made_values(options, "probabilities");
    // Rows of one blob lie nearer to each other than to those of another blob.
    double within = 0.0;
    double between = 0.0;
    std::int64_t right = 0;
    for (std::size_t r = 0; r + 11 < 1000; ++r) {
        within += squared_distance(&features[r * 16], &features[(r + 10) * 16], 16);
        between += squared_distance(&features[r * 16], &features[(r + 11) * 16], 16);
        const auto row = probabilities.begin() + static_cast<std::ptrdiff_t>(r * 10);
        if (std::max_element(row, row + 10) - row == static_cast<std::ptrdiff_t>(r % 10)) ++right;
    }
    EXPECT_GT(between, 1.5 * within);
    EXPECT_GT(right, 500);
}

// Row counts by the nearest centre: cluster k holds 1/(k+1) of what cluster 0 holds.
TEST(MadeKinds, clusters_have_skewed_sizes) {
    constexpr RowId num_rows = 8000;
    constexpr std::size_t dim = 32;
    const auto maker = made_kind("clusters").make({5, dim, 10});
    std::vector<float> rows(num_rows * dim);
    maker->fill({0, num_rows}, rows);
    const std::vector<double> values(rows.begin(), rows.end());
    const std::vector<double> centers(maker->centers().begin(), maker->centers().end());
    std::vector<double> sizes(centers.size() / dim, 0.0);
    for (std::size_t first = 0; first < values.size(); first += dim) {
        std::size_t nearest = 0;
        double smallest = INFINITY;
        for (std::size_t k = 0; k < sizes.size(); ++k) {
            const double found = squared_distance(&values[first], &centers[k * dim], dim);
            if (found < smallest) {
                smallest = found;
                nearest = k;
            }
        }
        sizes[nearest] += 1.0;
    }
    ASSERT_EQ(sizes.size(), 256U);
    const double largest = num_rows / 6.124;  // the 256th harmonic number
    for (std::size_t k = 0; k < 20; ++k) {
        const double expected = largest / static_cast<double>(k + 1);
        EXPECT_NEAR(sizes[k], expected, 5.0 * std::sqrt(expected)) << k;
    }
}

TEST(MadeKinds, sphere_has_unit_rows) {
    const std::vector<double> values = made_values(plain_options("sphere", 500, 12), "features");
    for (std::size_t first = 0; first < values.size(); first += 12) {
        double squares = 0.0;
        for (std::size_t d = 0; d < 12; ++d)
            squares += values[first + d] * values[first + d];
        EXPECT_NEAR(squares, 1.0, 1e-6);
    }
}

TEST(MadeKinds, probabilities_are_distributions_and_members_disagree) {
    for (const std::int64_t classes : {2, 10, 1000}) {
        MakeOptions options = plain_options("gaussian", 200, 16);
        options.classes = classes;
        options.members = 4;
        const std::vector<double> committee = made_values(options, "committee");
        const auto width = static_cast<std::size_t>(classes);
        double disagreement = 0.0;
        for (std::size_t first = 0; first < committee.size(); first += width) {
            const auto row = committee.begin() + static_cast<std::ptrdiff_t>(first);
            EXPECT_NEAR(std::accumulate(row, row + classes, 0.0), 1.0, 1e-6);
            EXPECT_GE(*std::min_element(row, row + classes), 0.0);
            if (first % (4 * width) != 0) {
                disagreement +=
                    squared_distance(&committee[first], &committee[first - width], width);
            }
        }
        EXPECT_GT(disagreement, 0.1) << classes;
    }
}

// Nearby rows are judged alike: probabilities and predictions follow from the features.
TEST(MadeKinds, probabilities_and_predictions_follow_the_features) {
    MakeOptions options = plain_options("manifold", 1500, 8);
    options.members = 3;
    options.outputs = 2;
    const std::vector<double> features = made_values(options, "features");
    for (const auto& [role, width] : std::map<std::string, std::size_t>{
             {"probabilities", 10}, {"committee", 30}, {"predictions", 6}}) {
        const std::vector<double> values = made_values(options, role);
        double near = 0.0;
        double far = 0.0;
        for (std::size_t r = 0; r < 300; ++r) {
            std::size_t nearest = r == 0 ? 1 : 0;
            for (std::size_t other = 0; other < 1500; ++other) {
                if (other == r) continue;
                const double found = squared_distance(&features[r * 8], &features[other * 8], 8);
                if (found < squared_distance(&features[r * 8], &features[nearest * 8], 8)) {
                    nearest = other;
                }
            }
            near += squared_distance(&values[r * width], &values[nearest * width], width);
            far += squared_distance(&values[r * width], &values[(r + 700) * width], width);
        }
        EXPECT_GT(far, 10.0 * near) << role;
    }
}

}  // namespace
}  // namespace sluice::pool
