/// The rules about what labels would tell, against published values and plain float64 versions.

#include "diversity_lists.hpp"
#include "support/expect_error.hpp"
#include "support/mpi_main.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

namespace sluice::select {
namespace {

using test::List;
using test::make_list;
using test::options_of;
using test::Places;

double entropy_of(double p) {
    return p > 0.0 ? -p * std::log(p) : 0.0;
}

// H(y of all chosen) - sum of H(y | member), by going through all outcomes of all labels.
double joint_information(const List& list, const Places& chosen) {
    const auto says = [&](std::int64_t place, std::int64_t m, std::int64_t c) {
        return double{
            list.says[static_cast<std::size_t>((place * list.members + m) * list.classes + c)]};
    };
    std::int64_t num_outcomes = 1;
    for (std::size_t i = 0; i < chosen.size(); ++i)
        num_outcomes *= list.classes;
    double information = 0.0;
    for (std::int64_t outcome = 0; outcome < num_outcomes; ++outcome) {
        double mean = 0.0;
        for (std::int64_t m = 0; m < list.members; ++m) {
            double p = 1.0;
            std::int64_t rest = outcome;
            for (const std::int64_t place : chosen) {
                p *= says(place, m, rest % list.classes);
                rest /= list.classes;
            }
            mean += p / static_cast<double>(list.members);
        }
        information += entropy_of(mean);
    }
    for (const std::int64_t place : chosen) {
        for (std::int64_t m = 0; m < list.members; ++m) {
            for (std::int64_t c = 0; c < list.classes; ++c)
                information -= entropy_of(says(place, m, c)) / static_cast<double>(list.members);
        }
    }
    return information;
}

// Batchbald_redux' four rows, whose 20 members go from one distribution to another.
TEST(BatchBald, has_the_published_scores) {
    const double from[4][4] = {
        {.7, .1, .1, .1}, {.1, .7, .1, .1}, {.1, .1, .7, .1}, {.1, .1, .1, .7}};
    const double to[4][4] = {
        {.3, .3, .2, .2}, {.2, .3, .3, .2}, {.2, .2, .3, .3}, {.3, .2, .2, .3}};
    List list;
    list.members = 20;
    list.classes = 4;
    for (int row = 0; row < 4; ++row) {
        list.features.push_back(static_cast<float>(row));
        list.scores.push_back(1.0F);
        for (int m = 0; m < 20; ++m) {
            const double t = m / 19.0;
            for (int c = 0; c < 4; ++c)
                list.says.push_back(static_cast<float>(from[row][c] * (1 - t) + to[row][c] * t));
        }
    }
    const double published[] = {.0307156396662, .0596195862716, .0869107051474, .1127530453247};
    const DiverseBatch batch = test::pick(list, "batchbald", options_of(4), sluice::test::world());
    double sum = 0.0;
    for (std::size_t i = 0; i < 4; ++i) {
        sum += double{batch.picks[i].value};
        EXPECT_NEAR(sum, published[i], 2e-7) << i;  // the members are float32
    }
    EXPECT_NE(batch.note.find("(exact)"), std::string::npos) << batch.note;
}

TEST(BatchBald, takes_the_largest_joint_information) {
    for (unsigned number = 0; number < test::num_pools; ++number) {
        const List list = test::pool(number);
        const DiverseBatch batch =
            test::pick(list, "batchbald", options_of(4), sluice::test::world());
        Places chosen;
        for (const DiversePick& pick : batch.picks) {
            const double before = joint_information(list, chosen);
            double best = 0.0;
            for (std::int64_t i = 0; i < list.size(); ++i) {
                if (std::find(chosen.begin(), chosen.end(), i) != chosen.end()) continue;
                Places with = chosen;
                with.push_back(i);
                best = std::max(best, joint_information(list, with) - before);
            }
            chosen.push_back(List::place(pick.row));
            ASSERT_NEAR(joint_information(list, chosen) - before, best, 1e-6) << number;
            ASSERT_NEAR(double{pick.value}, best, 1e-6) << number;
        }
    }
}

TEST(BatchBald, stays_within_what_there_is_to_know_when_it_draws) {
    const List list = make_list(60, 2, 70, 0, 0);
    const DiverseBatch batch = test::pick(list, "batchbald", options_of(20), sluice::test::world());
    EXPECT_NE(batch.note.find("draws"), std::string::npos) << batch.note;
    double sum = 0.0;
    for (const DiversePick& pick : batch.picks) {
        EXPECT_GE(pick.value, -1e-6F);
        EXPECT_LE(double{pick.value}, std::log(3.0) + 1e-6);  // 3 members, 4 classes
        sum += double{pick.value};
    }
    EXPECT_LT(sum, std::log(3.0) * 1.05);
    EXPECT_GT(sum, std::log(3.0) * 0.7);
}

TEST(BatchBald, needs_more_than_one_member) {
    List list = make_list(10, 2, 71, 0, 0);
    list.members = 1;
    list.says.resize(40);
    sluice::test::expect_error(ExitCode::usage, "a single member", [&] {
        test::pick(list, "batchbald", options_of(2), sluice::test::world());
    });
}

using Matrix = std::vector<std::vector<double>>;

Matrix inverse(Matrix a) {
    const std::size_t n = a.size();
    Matrix b(n, std::vector<double>(n, 0.0));
    for (std::size_t k = 0; k < n; ++k)
        b[k][k] = 1.0;
    for (std::size_t k = 0; k < n; ++k) {
        const double pivot = a[k][k];  // positive definite: never 0
        for (std::size_t j = 0; j < n; ++j) {
            a[k][j] /= pivot;
            b[k][j] /= pivot;
        }
        for (std::size_t i = 0; i < n; ++i) {
            const double factor = a[i][k];
            if (i == k) continue;
            for (std::size_t j = 0; j < n; ++j) {
                a[i][j] -= factor * a[k][j];
                b[i][j] -= factor * b[k][j];
            }
        }
    }
    return b;
}

void add_square(Matrix& matrix, const float* x, double factor) {
    for (std::size_t k = 0; k < matrix.size(); ++k) {
        for (std::size_t l = 0; l < matrix.size(); ++l)
            matrix[k][l] += factor * double{x[k]} * double{x[l]};
    }
}

// tr((I + sum over centres and chosen of x x' / sigma^2)^-1 F).
double trace_left(const List& list, const Places& chosen, double sigma) {
    const auto dim = static_cast<std::size_t>(list.dim);
    Matrix information(dim, std::vector<double>(dim, 0.0));
    Matrix wanted = information;
    for (std::size_t k = 0; k < dim; ++k)
        information[k][k] = 1.0;
    for (std::int64_t c = 0; c < list.num_centers(); ++c) {
        add_square(information, list.center(c), 1.0 / (sigma * sigma));
        add_square(wanted, list.center(c), 1.0);
    }
    for (const std::int64_t one : chosen)
        add_square(information, list.at(one), 1.0 / (sigma * sigma));
    for (std::int64_t i = 0; i < list.size(); ++i)
        add_square(wanted, list.at(i), 1.0);
    const Matrix covariance = inverse(information);
    double trace = 0.0;
    for (std::size_t k = 0; k < dim; ++k) {
        for (std::size_t l = 0; l < dim; ++l)
            trace += covariance[k][l] * wanted[l][k];
    }
    return trace;
}

// Which of the choices leaves least.
std::size_t least_left(const List& list, const std::vector<Places>& choices, double sigma) {
    std::size_t best = 0;
    double least = 0.0;
    for (std::size_t i = 0; i < choices.size(); ++i) {
        const double trace = trace_left(list, choices[i], sigma);
        if (i > 0 && trace >= least) continue;
        best = i;
        least = trace;
    }
    return best;
}

Places forward(const List& list, std::size_t wanted, double sigma) {
    Places chosen;
    while (chosen.size() < wanted) {
        std::vector<Places> choices;
        for (std::int64_t i = 0; i < list.size(); ++i) {
            if (std::find(chosen.begin(), chosen.end(), i) != chosen.end()) continue;
            choices.push_back(chosen);
            choices.back().push_back(i);
        }
        chosen = choices[least_left(list, choices, sigma)];
    }
    return chosen;
}

Places back(const List& list, Places chosen, std::size_t wanted, double sigma) {
    while (chosen.size() > wanted) {
        std::vector<Places> choices;
        for (std::size_t i = 0; i < chosen.size(); ++i) {
            choices.push_back(chosen);
            choices.back().erase(choices.back().begin() + static_cast<long>(i));
        }
        chosen = choices[least_left(list, choices, sigma)];
    }
    return chosen;
}

TEST(Bait, goes_forward_to_twice_as_many_and_back) {
    constexpr std::size_t wanted = 5;
    for (unsigned number = 0; number < test::num_pools; ++number) {
        SCOPED_TRACE(number);
        const List list = make_list(30 + number, 1 + number % 5, 500 + number, 0, number % 3);
        const double sigma = number % 2 == 0 ? 1.0 : 0.3;
        const auto picked = [&](const std::string& rule) {
            Places places;
            const DiversityOptions options = options_of(wanted, {NAN, sigma, NAN});
            for (const DiversePick& pick :
                 test::pick(list, rule, options, sluice::test::world()).picks)
                places.push_back(List::place(pick.row));
            return places;
        };
        EXPECT_EQ(picked("bait_forward"), forward(list, wanted, sigma));
        EXPECT_EQ(picked("bait"), back(list, forward(list, 2 * wanted, sigma), wanted, sigma));
    }
}

}  // namespace
}  // namespace sluice::select
