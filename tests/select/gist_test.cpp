/// GIST against a plain float64 version and against its promise.

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

using GainOf = std::function<double(const Places&, std::int64_t)>;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// f of a batch, in float64.
double spread_value(const List& list, const Places& chosen, double strength) {
    double sum = 0.0;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        sum += double{list.scores[static_cast<std::size_t>(chosen[i])]};
        const Places before(chosen.begin(), chosen.begin() + static_cast<long>(i));
        least = std::min(least, std::sqrt(nearest(list, before, chosen[i])));
    }
    return sum / static_cast<double>(chosen.size()) +
           (std::isfinite(least) ? strength * least : 0.0);
}

TEST(Gist, keeps_its_promise) {
    for (unsigned number = 0; number < test::num_pools; ++number) {
        List list =
            make_list(14, 1 + number % 4, 300 + number, number % 4 == 3 ? 4 : 0, number % 3);
        const double strength = number % 2 == 0 ? 1.0 : 0.2;
        if (number % 5 == 0) std::fill(list.scores.begin(), list.scores.end(), 0.0F);
        const auto value = [&](const Places& chosen) {
            return spread_value(list, chosen, strength);
        };
        double best = 0.0;
        for (std::int64_t i = 0; i < list.size(); ++i) {
            for (std::int64_t j = 0; j < i; ++j) {
                for (std::int64_t k = 0; k < j; ++k)
                    best = std::max(best, value({i, j, k}));
            }
        }
        Places chosen;
        const DiverseBatch batch =
            test::pick(list, "gist", options_of(3, {strength, nan, nan}), sluice::test::world());
        for (const DiversePick& pick : batch.picks)
            chosen.push_back(List::place(pick.row));
        EXPECT_GE(value(chosen), 0.45 * best) << number;
        EXPECT_NE(batch.note.find("at least 0.45"), std::string::npos);
    }
}

// The next place by `gain`, ties to the lower one; -1 if no place has a finite gain.
std::int64_t best_place(const List& list, const Places& chosen, const GainOf& gain) {
    std::int64_t best = -1;
    double most = -std::numeric_limits<double>::infinity();
    for (std::int64_t i = 0; i < list.size(); ++i) {
        if (std::find(chosen.begin(), chosen.end(), i) != chosen.end()) continue;
        const double value = gain(chosen, i);
        if (value > most) {
            most = value;
            best = i;
        }
    }
    return best;
}

// GIST as its paper has it, over batches of exactly `count` rows.
double plain_gist(const List& list, std::int64_t count, double strength) {
    const auto score = [&](const Places&, std::int64_t i) {
        return double{list.scores[static_cast<std::size_t>(i)]};
    };
    const auto greedy = [&](const GainOf& first, const GainOf& gain) {
        Places chosen;
        while (std::ssize(chosen) < count) {
            const std::int64_t next = best_place(list, chosen, chosen.empty() ? first : gain);
            if (next < 0) return Places();
            chosen.push_back(next);
        }
        return chosen;
    };
    const auto distance = [&](const Places& chosen, std::int64_t i) {
        return std::sqrt(nearest(list, chosen, i));
    };
    const Places spread =
        greedy(list.num_centers() > 0 ? GainOf(distance) : GainOf(score), distance);
    const Places before(spread.begin(), spread.end() - 1);
    const double radius = distance(before, spread.back());
    double best = std::max(spread_value(list, spread, strength),
                           spread_value(list, greedy(score, score), strength));
    for (double least = radius; least >= 0.05 * radius / 1.1 && least > 0.0; least /= 1.1) {
        const GainOf far_enough = [&](const Places& chosen, std::int64_t i) {
            return distance(chosen, i) < least ? -std::numeric_limits<double>::infinity()
                                               : score(chosen, i);
        };
        const Places chosen = greedy(far_enough, far_enough);
        if (!chosen.empty()) best = std::max(best, spread_value(list, chosen, strength));
    }
    return best;
}

// Ten rows of high scores 0.08 apart, each with a near copy; all others are far and worthless.
List list_of_near_copies() {
    List list = make_list(60, 2, 5, 0, 0);
    for (std::int64_t i = 0; i < list.size(); ++i) {
        const bool is_good = i < 20;
        const auto place = static_cast<std::size_t>(i);
        list.features[2 * place] = is_good ? 0.08F * static_cast<float>(i / 2) : 0.0F;
        list.features[2 * place + 1] =
            is_good ? 0.01F * static_cast<float>(i % 2) : 1.0F + 0.3F * static_cast<float>(i - 20);
        list.scores[place] = is_good ? 1.0F : 0.01F;
    }
    return list;
}

TEST(Gist, is_the_best_of_its_trials) {
    for (unsigned number = 0; number <= test::num_pools; ++number) {
        const List list = number < test::num_pools ? pool(number) : list_of_near_copies();
        const double strength = std::vector<double>{0.02, 0.1, 0.5, 2.0}[number % 4];
        Places chosen;
        const DiverseBatch batch =
            test::pick(list, "gist", options_of(10, {strength, nan, nan}), sluice::test::world());
        for (const DiversePick& pick : batch.picks)
            chosen.push_back(List::place(pick.row));
        const double expected = plain_gist(list, 10, strength);
        EXPECT_NEAR(spread_value(list, chosen, strength), expected, 1e-5 * std::abs(expected))
            << number;
    }
}

}  // namespace
}  // namespace sluice::select
