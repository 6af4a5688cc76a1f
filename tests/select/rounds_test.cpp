/// The rules that pick in rounds against the same rules with one pass over all rows for each pick:
/// the same picks to the bit, in far fewer exchanges.

#include "expect_in_rounds.hpp"
#include "kernels/nearest_center.hpp"
#include "plain_maxdet.hpp"
#include "select/diversity/race.hpp"
#include "support/mpi_main.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace sluice::select {
namespace {

using test::expect_in_rounds;
using test::List;
using test::make_list;
using test::options_of;
using test::plain_greedy;
using test::plain_maxdet;

// Rows about a few middles that are far from each other: what is left shrinks at once.
List clustered(std::int64_t size, std::int64_t dim, unsigned seed, std::int64_t num_centers) {
    List list = make_list(size, dim, seed, 0, num_centers);
    std::mt19937 generator(seed);
    for (std::int64_t i = 0; i < size; ++i) {
        const auto cluster = static_cast<float>(generator() % 9);
        for (std::int64_t k = 0; k < dim; ++k) {
            float& value = list.features[static_cast<std::size_t>(i * dim + k)];
            value = 0.1F * value + 5.0F * std::sin(cluster * static_cast<float>(k + 1));
        }
    }
    return list;
}

// One race of all rows for each pick.
std::vector<DiversePick> one_race_a_pick(
    std::int64_t num_rows, const DiversityOptions& options, std::vector<double> squared,
    const std::vector<double>& weights, std::int64_t first,
    const std::function<double(std::int64_t, std::int64_t)>& distance,
    const std::function<float(double)>& value) {
    std::vector<DiversePick> picks;
    std::vector<bool> taken(squared.size(), false);
    bool begins = !std::isfinite(squared.front()) || first >= 0;
    for (std::int64_t number = 0; number < std::min(options.num_picks, num_rows); ++number) {
        const Race race{options.seed, options.round, number};
        Gain best;
        for (std::int64_t i = 0; i < num_rows && first < 0; ++i) {
            const auto at = static_cast<std::size_t>(i);
            if (taken[at]) continue;
            const Gain one =
                race.gain(List::row(i), begins ? weights[at] : squared[at] * weights[at]);
            if (beats(one, best)) best = one;
        }
        const std::int64_t place = first >= 0 ? first : List::place(best.row);
        first = -1;
        picks.push_back({List::row(place), value(squared[static_cast<std::size_t>(place)])});
        taken[static_cast<std::size_t>(place)] = true;
        for (std::int64_t i = 0; i < num_rows; ++i) {
            double& own = squared[static_cast<std::size_t>(i)];
            own = begins ? distance(i, place) : std::min(own, distance(i, place));
        }
        begins = false;
    }
    return picks;
}

std::vector<DiversePick> kmeanspp(const List& list, const DiversityOptions& options) {
    std::vector<double> squared(static_cast<std::size_t>(list.size()),
                                std::numeric_limits<double>::infinity());
    std::vector<double> weights(squared.size(), 1.0);
    for (std::int64_t i = 0; i < list.size(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        if (options.parameters.strength == 1.0) weights[at] = double{list.scores[at]};
        for (std::int64_t c = 0; c < list.num_centers(); ++c) {
            squared[at] =
                std::min(squared[at],
                         double{kernels::squared_distance(list.at(i), list.center(c), list.dim)});
        }
    }
    return one_race_a_pick(
        list.size(), options, squared, weights, -1,
        [&](std::int64_t i, std::int64_t j) {
            return double{kernels::squared_distance(list.at(i), list.at(j), list.dim)};
        },
        [](double spread) { return std::sqrt(static_cast<float>(spread)); });
}

TEST(Rounds, kmeanspp_draws_as_one_race_a_pick_does) {
    for (const std::int64_t num_centers : {0, 3}) {
        for (const double strength : {0.0, 1.0}) {
            const DiversityOptions options = options_of(300, {strength, NAN, NAN});
            const List even = make_list(3000, 12, 70, 0, num_centers);
            expect_in_rounds(even, "kmeanspp", options, kmeanspp(even, options), 300 / 20);
            const List far = clustered(3000, 12, 71, num_centers);
            expect_in_rounds(far, "kmeanspp", options, kmeanspp(far, options), 300 / 15);
        }
    }
}

TEST(Rounds, kmeanspp_draws_copies_when_nothing_else_is_left) {
    List list = make_list(220, 2, 72, 9, 1);
    for (std::size_t i = 0; i < list.scores.size(); i += 3)
        list.scores[i] = 0.0F;
    for (const double strength : {0.0, 1.0}) {
        const DiversityOptions options = options_of(220, {strength, NAN, NAN});
        expect_in_rounds(list, "kmeanspp", options, kmeanspp(list, options), 220);
    }
}

// (mean probability - most probable class), as the rule has it.
std::vector<float> errors_of(const List& list) {
    const auto classes = static_cast<std::size_t>(list.classes);
    std::vector<float> errors(static_cast<std::size_t>(list.size()) * classes, 0.0F);
    for (std::size_t i = 0; i < list.scores.size(); ++i) {
        float* const own = errors.data() + i * classes;
        for (std::size_t c = 0; c < classes; ++c) {
            for (std::size_t m = 0; m < static_cast<std::size_t>(list.members); ++m)
                own[c] += list.says[(i * static_cast<std::size_t>(list.members) + m) * classes + c];
            own[c] /= static_cast<float>(list.members);
        }
        *std::max_element(own, own + classes) -= 1.0F;
    }
    return errors;
}

double product(const float* x, const float* y, std::int64_t dim) {
    double sum = 0.0;
    for (std::int64_t k = 0; k < dim; ++k)
        sum += double{x[k]} * double{y[k]};
    return sum;
}

TEST(Rounds, badge_draws_as_one_race_a_pick_does) {
    for (const bool far : {false, true}) {
        const List list = far ? clustered(1500, 10, 73, 0) : make_list(1500, 10, 74, 0, 0);
        const std::vector<float> errors = errors_of(list);
        const auto cross = [&](std::int64_t i, std::int64_t j) {
            return product(errors.data() + i * list.classes, errors.data() + j * list.classes,
                           list.classes) *
                   product(list.at(i), list.at(j), list.dim);
        };
        std::vector<double> norms;
        for (std::int64_t i = 0; i < list.size(); ++i)
            norms.push_back(cross(i, i));
        const DiversityOptions options = options_of(250);
        const auto picks = one_race_a_pick(
            list.size(), options, norms, std::vector<double>(norms.size(), 1.0),
            std::max_element(norms.begin(), norms.end()) - norms.begin(),
            [&](std::int64_t i, std::int64_t j) {
                return std::max(0.0, norms[static_cast<std::size_t>(i)] +
                                         norms[static_cast<std::size_t>(j)] - 2.0 * cross(i, j));
            },
            [](double spread) { return static_cast<float>(std::sqrt(spread)); });
        expect_in_rounds(list, "badge", options, picks, 250 / 15);
    }
}

using OfDistance = std::function<double(double number, double distance)>;

std::vector<DiversePick> greedy_by_distance(const List& list, const DiversityOptions& options,
                                            const OfDistance& gain) {
    std::vector<float> nearest(list.scores.size(), std::numeric_limits<float>::infinity());
    const auto relax = [&](const float* center) {
        for (std::int64_t i = 0; i < list.size(); ++i) {
            float& own = nearest[static_cast<std::size_t>(i)];
            own = std::min(own, kernels::squared_distance(list.at(i), center, list.dim));
        }
    };
    for (std::int64_t c = 0; c < list.num_centers(); ++c)
        relax(list.center(c));
    const auto best = std::max_element(list.scores.begin(), list.scores.end());
    return plain_greedy(
        list, options, list.num_centers() > 0 ? -1 : best - list.scores.begin(),
        [&](std::int64_t i) {
            const auto at = static_cast<std::size_t>(i);
            return gain(double{list.scores[at]}, double{std::sqrt(nearest[at])});
        },
        [&](std::int64_t i) {
            const float value = std::sqrt(nearest[static_cast<std::size_t>(i)]);
            relax(list.at(i));
            return value;
        });
}

TEST(Rounds, weighted_distances_give_the_picks_of_the_plain_greedy) {
    for (const std::int64_t num_centers : {0, 3}) {
        for (const bool far : {false, true}) {
            const List list =
                far ? clustered(3000, 6, 75, num_centers) : make_list(3000, 6, 76, 0, num_centers);
            const DiversityOptions options = options_of(200, {1.0, NAN, NAN});
            expect_in_rounds(
                list, "k_center", options,
                greedy_by_distance(list, options, [](double w, double d) { return w * d; }), 10);
            expect_in_rounds(
                list, "usdm", options,
                greedy_by_distance(list, options, [](double s, double d) { return s + d; }), 10);
        }
        const List ties = make_list(700, 2, 77, 6, num_centers);
        const DiversityOptions options = options_of(120, {1.0, NAN, NAN});
        expect_in_rounds(
            ties, "usdm", options,
            greedy_by_distance(ties, options, [](double s, double d) { return s + d; }), 20);
    }
}

TEST(Rounds, maxdet_gives_the_picks_of_the_plain_greedy) {
    for (const std::int64_t num_centers : {0, 5}) {
        for (const double strength : {0.0, 1.0}) {
            const DiversityOptions options = options_of(120, {strength, 0.3, NAN});
            const List even = make_list(4000, 20, 78, 0, num_centers);
            expect_in_rounds(even, "maxdet", options, plain_maxdet(even, options), 120 / 5);
            const List far = clustered(4000, 20, 79, num_centers);
            expect_in_rounds(far, "maxdet", options, plain_maxdet(far, options), 120 / 5);
            const List ties = make_list(700, 3, 80, 5, num_centers);
            expect_in_rounds(ties, "maxdet", options, plain_maxdet(ties, options), 20);
        }
    }
}

}  // namespace
}  // namespace sluice::select
