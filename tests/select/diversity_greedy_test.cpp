/// The rules against plain float64 versions of their definitions, pick by pick: a rule may differ
/// from one only where gains are as near as rounding.

#include "diversity_lists.hpp"
#include "support/mpi_main.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

namespace sluice::select {
namespace {

using test::List;
using test::make_list;
using test::nearest;
using test::options_of;
using test::Places;
using test::pool;
using test::squared;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

double product(const float* x, const float* y, std::int64_t dim) {
    double sum = 0.0;
    for (std::int64_t k = 0; k < dim; ++k)
        sum += double{x[k]} * double{y[k]};
    return sum;
}

// The determinant of a symmetric positive matrix, by elimination.
double log_determinant(std::vector<std::vector<double>> matrix) {
    double sum = 0.0;
    for (std::size_t k = 0; k < matrix.size(); ++k) {
        sum += std::log(matrix[k][k]);
        for (std::size_t i = k + 1; i < matrix.size(); ++i) {
            const double factor = matrix[i][k] / matrix[k][k];
            for (std::size_t j = k; j < matrix.size(); ++j)
                matrix[i][j] -= factor * matrix[k][j];
        }
    }
    return sum;
}

// gain(chosen, place) of the definition; every pick must have the largest, up to `tolerance` times
// the largest or 1.
using GainOf = std::function<double(const Places&, std::int64_t)>;

void expect_greedy(const List& list, const std::string& rule, const DiversityOptions& options,
                   const GainOf& gain, double tolerance, bool skip_first = false) {
    const DiverseBatch batch = test::pick(list, rule, options, sluice::test::world());
    Places chosen;
    ASSERT_EQ(std::ssize(batch.picks), options.num_picks);
    for (const DiversePick& pick : batch.picks) {
        const std::int64_t place = List::place(pick.row);
        double best = -std::numeric_limits<double>::infinity();
        for (std::int64_t i = 0; i < list.size() && !(skip_first && chosen.empty()); ++i) {
            if (std::find(chosen.begin(), chosen.end(), i) == chosen.end())
                best = std::max(best, gain(chosen, i));
        }
        if (!(skip_first && chosen.empty())) {
            ASSERT_GE(gain(chosen, place), best - tolerance * std::max(1.0, std::abs(best)))
                << rule << ", pick " << chosen.size();
        }
        chosen.push_back(place);
    }
}

TEST(DiversityGreedy, k_center_weighted_by_score) {
    for (unsigned number = 0; number < test::num_pools; ++number) {
        const List list = pool(number);
        const double strength = number % 2 == 0 ? 1.0 : 0.7;
        expect_greedy(
            list, "k_center", options_of(15, {strength, nan, nan}),
            [&](const Places& chosen, std::int64_t i) {
                return std::sqrt(nearest(list, chosen, i)) *
                       std::pow(double{list.scores[static_cast<std::size_t>(i)]}, strength);
            },
            1e-5, list.num_centers() == 0);
    }
}

TEST(DiversityGreedy, usdm_adds_score_and_distance) {
    for (unsigned number = 0; number < test::num_pools; ++number) {
        const List list = pool(number);
        expect_greedy(
            list, "usdm", options_of(15, {0.5, nan, nan}),
            [&](const Places& chosen, std::int64_t i) {
                return double{list.scores[static_cast<std::size_t>(i)]} +
                       0.5 * std::sqrt(nearest(list, chosen, i));
            },
            1e-5, list.num_centers() == 0);
    }
}

TEST(DiversityGreedy, usdm_goes_from_the_order_of_scores_to_that_of_distances) {
    const List list = make_list(80, 3, 50, 0, 2);
    comm::Communicator& world = sluice::test::world();
    const DiverseBatch by_score = test::pick(list, "usdm", options_of(80, {0.0, nan, nan}), world);
    for (std::size_t i = 1; i < by_score.picks.size(); ++i) {
        const auto score = [&](std::size_t pick) {
            return list.scores[static_cast<std::size_t>(List::place(by_score.picks[pick].row))];
        };
        EXPECT_GE(score(i - 1), score(i));
    }
    const DiverseBatch far = test::pick(list, "usdm", options_of(30, {1e30, nan, nan}), world);
    const DiverseBatch k_center = test::pick(list, "k_center", options_of(30), world);
    for (std::size_t i = 0; i < far.picks.size(); ++i)
        EXPECT_EQ(far.picks[i].row, k_center.picks[i].row) << i;
}

TEST(DiversityGreedy, maxdet_has_the_largest_determinant) {
    for (unsigned number = 0; number < test::num_pools; ++number) {
        const List list = pool(number);
        const double sigma = number % 2 == 0 ? 1.0 : 0.1;
        const double strength = number % 3 == 0 ? 1.0 : 0.0;
        const auto quality = [&](std::int64_t i) {
            return strength == 0.0 ? 1.0 : double{list.scores[static_cast<std::size_t>(i)]};
        };
        expect_greedy(
            list, "maxdet", options_of(10, {strength, sigma, nan}),
            [&](const Places& chosen, std::int64_t place) {
                std::vector<const float*> rows;
                std::vector<double> factors;
                for (std::int64_t c = 0; c < list.num_centers(); ++c) {
                    rows.push_back(list.center(c));
                    factors.push_back(1.0);
                }
                Places with = chosen;
                with.push_back(place);
                for (const std::int64_t one : with) {
                    rows.push_back(list.at(one));
                    factors.push_back(quality(one));
                }
                std::vector<std::vector<double>> kernel(rows.size(),
                                                        std::vector<double>(rows.size()));
                for (std::size_t i = 0; i < rows.size(); ++i) {
                    for (std::size_t j = 0; j < rows.size(); ++j) {
                        kernel[i][j] =
                            factors[i] * factors[j] * product(rows[i], rows[j], list.dim) +
                            (i == j ? sigma * sigma : 0.0);
                    }
                }
                return log_determinant(kernel);
            },
            1e-9);
    }
}

TEST(DiversityGreedy, facility_location_covers_most) {
    for (unsigned number = 0; number < test::num_pools; ++number) {
        const List list = pool(number);
        const double strength = number % 2 == 0 ? 1.0 : 0.0;
        const double length = 1.3;
        const auto similar = [&](double d2) {
            return std::isinf(d2) ? 0.0 : std::exp(-d2 / (2.0 * length * length));
        };
        const auto value = [&](const Places& chosen) {
            double sum = 0.0;
            for (std::int64_t i = 0; i < list.size(); ++i) {
                sum += std::pow(double{list.scores[static_cast<std::size_t>(i)]}, strength) *
                       similar(nearest(list, chosen, i));
            }
            return sum;
        };
        expect_greedy(
            list, "facility_location", options_of(12, {strength, nan, length}),
            [&](const Places& chosen, std::int64_t place) {
                Places with = chosen;
                with.push_back(place);
                return value(with) - value(chosen);
            },
            1e-5);
    }
}

TEST(DiversityGreedy, prob_cover_covers_most_rows) {
    for (unsigned number = 0; number < test::num_pools; ++number) {
        const List list = pool(number);
        const double radius = 0.9;
        expect_greedy(
            list, "prob_cover", options_of(15, {nan, nan, radius}),
            [&](const Places& chosen, std::int64_t place) {
                double count = 0.0;
                for (std::int64_t i = 0; i < list.size(); ++i) {
                    if (nearest(list, chosen, i) <= radius * radius) continue;
                    if (squared(list.at(i), list.at(place), list.dim) <= radius * radius)
                        count += 1.0;
                }
                return count;
            },
            1e-9);
    }
}

TEST(DiversityGreedy, graph_cut_takes_the_largest_gain) {
    for (unsigned number = 0; number < test::num_pools; ++number) {
        const List list = pool(number);
        const double strength = 0.4;
        const double length = 1.1;
        const auto similar = [&](std::int64_t i, std::int64_t j) {
            return std::exp(-squared(list.at(i), list.at(j), list.dim) / (2.0 * length * length));
        };
        const auto value = [&](const Places& chosen) {
            double sum = 0.0;
            for (const std::int64_t j : chosen) {
                for (std::int64_t i = 0; i < list.size(); ++i)
                    sum += strength * similar(i, j);
                for (const std::int64_t other : chosen)
                    sum -= similar(other, j);
            }
            return sum;
        };
        expect_greedy(
            list, "graph_cut", options_of(12, {strength, nan, length}),
            [&](const Places& chosen, std::int64_t place) {
                Places with = chosen;
                with.push_back(place);
                return value(with) - value(chosen);
            },
            1e-5);
    }
}

// The cluster of the largest sum, and in it the farthest row.
TEST(DiversityGreedy, lcmd_takes_the_farthest_of_the_largest_cluster) {
    for (unsigned number = 0; number < test::num_pools; ++number) {
        const List list = pool(number);
        const DiverseBatch batch = test::pick(list, "lcmd", options_of(15), sluice::test::world());
        std::vector<const float*> centers;
        for (std::int64_t c = 0; c < list.num_centers(); ++c)
            centers.push_back(list.center(c));
        Places chosen;
        for (const DiversePick& pick : batch.picks) {
            const std::int64_t place = List::place(pick.row);
            std::vector<double> sums(centers.size(), 0.0);
            std::vector<double> farthest(centers.size(), 0.0);
            std::vector<std::size_t> cluster(static_cast<std::size_t>(list.size()));
            std::vector<double> distance(cluster.size());
            for (std::size_t i = 0; i < cluster.size() && !centers.empty(); ++i) {
                double least = std::numeric_limits<double>::infinity();
                for (std::size_t c = 0; c < centers.size(); ++c) {
                    const double d2 =
                        squared(list.at(static_cast<std::int64_t>(i)), centers[c], list.dim);
                    if (d2 < least * (1.0 - 1e-7)) cluster[i] = c;
                    least = std::min(least, d2);
                }
                distance[i] = least;
                sums[cluster[i]] += least;
                farthest[cluster[i]] = std::max(farthest[cluster[i]], least);
            }
            if (!centers.empty()) {
                const auto at = static_cast<std::size_t>(place);
                const double heaviest = *std::max_element(sums.begin(), sums.end());
                ASSERT_GE(sums[cluster[at]], heaviest * (1.0 - 1e-5)) << chosen.size();
                ASSERT_GE(distance[at], farthest[cluster[at]] * (1.0 - 1e-5)) << chosen.size();
            }
            centers.push_back(list.at(place));
            chosen.push_back(place);
        }
    }
}

// f of the whole by trying all batches of 3.
}  // namespace
}  // namespace sluice::select
