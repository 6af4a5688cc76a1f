#include "select/diversity/joint_labels.hpp"

#include "core/error.hpp"
#include "select/run_rule.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace sluice::select {
namespace {

using Table = std::vector<double>;  // [M, C]

// All joint labels one after the other, in float64, as the definition has it.
double plain_joint_entropy(const std::vector<Table>& rows, std::int64_t members,
                           std::int64_t classes) {
    std::vector<std::int64_t> labels(rows.size(), 0);
    double entropy = 0.0;
    while (true) {
        double chance = 0.0;
        for (std::int64_t m = 0; m < members; ++m) {
            double product = 1.0 / static_cast<double>(members);
            for (std::size_t i = 0; i < rows.size(); ++i)
                product *= rows[i][static_cast<std::size_t>(m * classes + labels[i])];
            chance += product;
        }
        if (chance > 0.0) entropy -= chance * std::log(chance);
        std::size_t i = 0;
        while (i < labels.size() && ++labels[i] == classes)
            labels[i++] = 0;
        if (i == labels.size()) return entropy;
    }
}

double plain_conditional(const Table& row, std::int64_t members) {
    double sum = 0.0;
    for (const double p : row)
        sum -= p > 0.0 ? p * std::log(p) / static_cast<double>(members) : 0.0;
    return sum;
}

double plain_information(const std::vector<Table>& rows, std::int64_t members,
                         std::int64_t classes) {
    double information = plain_joint_entropy(rows, members, classes);
    for (const Table& row : rows)
        information -= plain_conditional(row, members);
    return information;
}

// A row that members see between two views of it.
Table mixture(const Table& first, const Table& last, std::int64_t members) {
    Table table;
    for (std::int64_t m = 0; m < members; ++m) {
        const double share = static_cast<double>(m) / static_cast<double>(members - 1);
        for (std::size_t c = 0; c < first.size(); ++c)
            table.push_back(first[c] * (1.0 - share) + last[c] * share);
    }
    return table;
}

std::vector<Table> published_rows() {
    return {mixture({.7, .1, .1, .1}, {.3, .3, .2, .2}, 20),
            mixture({.1, .7, .1, .1}, {.2, .3, .3, .2}, 20),
            mixture({.1, .1, .7, .1}, {.2, .2, .3, .3}, 20),
            mixture({.1, .1, .1, .7}, {.3, .2, .2, .3}, 20)};
}

test::RuleRequest request_of(const std::vector<Table>& rows, std::int64_t members,
                             std::int64_t num_picks) {
    test::RuleRequest request{"batchbald", num_picks};
    request.members = members;
    request.classes = std::ssize(rows.front()) / members;
    for (const Table& row : rows)
        request.member_says.insert(request.member_says.end(), row.begin(), row.end());
    return request;
}

std::vector<Table> random_rows(std::int64_t count, std::int64_t members, std::int64_t classes,
                               unsigned seed) {
    std::mt19937 generator(seed);
    std::gamma_distribution<float> gamma(0.5F);
    std::vector<Table> rows;
    for (std::int64_t i = 0; i < count; ++i) {
        std::vector<float> says;
        for (std::int64_t k = 0; k < members * classes; ++k)
            says.push_back(gamma(generator) + 1e-3F);
        rows.push_back(member_table(says, members));
    }
    return rows;
}

// \source batchbald_redux, 01_batchbald.ipynb (scores; their order of rows is one of rounding).
TEST(BatchBald, published_scores) {
    const test::WholeShortlist list = test::grid(4, 1, 2, 1);

    const DiverseBatch batch =
        test::run_rule(list, request_of(published_rows(), 20, 4), test::Split::contiguous);

    const double scores[4] = {0.030715639666234917, 0.05961958627158248, 0.0869107051474467,
                              0.11275304532467878};
    ASSERT_EQ(batch.picks.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i)
        EXPECT_NEAR(batch.picks[i].value, scores[i], 1e-7);
}

TEST(JointLabels, published_scores_in_float64) {
    JointLabels joint(20, 4, 4096, {});
    const double scores[4] = {0.030715639666234917, 0.05961958627158248, 0.0869107051474467,
                              0.11275304532467878};
    std::vector<Table> rows = published_rows();
    double sum = 0.0;
    for (std::size_t i = 0; i < 4; ++i) {
        double best = -1.0;
        std::size_t number = 0;
        for (std::size_t r = 0; r < rows.size(); ++r) {
            const double gain = joint.gain(rows[r]);
            if (gain > best) best = gain, number = r;
        }
        sum += best;
        joint.add(static_cast<RowId>(i), rows[number]);
        rows.erase(rows.begin() + static_cast<std::int64_t>(number));
        EXPECT_NEAR(sum, scores[i], 1e-12);
        EXPECT_NEAR(joint.information(), scores[i], 1e-12);
    }
}

// \source batchbald_redux, 02_joint_entropy_computation.ipynb
TEST(JointLabels, published_joint_entropy) {
    const Table first = mixture({.1, .2, .2, .5}, {.5, .2, .1, .2}, 20);
    const Table second = mixture({.1, .6, .2, .1}, {0., .5, .5, 0.}, 20);
    JointLabels joint(20, 4, 4096, {});
    for (const Table& row : {first, second, first, second})
        joint.add(0, row);

    EXPECT_NEAR(joint.joint_entropy(), 4.647885441, 1e-9);
}

TEST(JointLabels, information_by_definition_on_random_rows) {
    for (unsigned pool = 0; pool < 24; ++pool) {
        SCOPED_TRACE(pool);
        const std::int64_t members = 2 + pool % 5;
        const std::int64_t classes = 2 + pool % 3;
        const std::vector<Table> rows = random_rows(6, members, classes, pool);
        JointLabels joint(members, classes, 4096, {});
        double last_gain = std::log(static_cast<double>(std::min(members, classes)));
        std::vector<Table> before;
        for (std::size_t i = 0; i < 5; ++i) {
            const double known = plain_information(before, members, classes);
            EXPECT_NEAR(joint.information(), before.empty() ? 0.0 : known, 1e-12);
            before.push_back(rows[i]);
            const double with = plain_information(before, members, classes);
            EXPECT_NEAR(joint.gain(rows[i]), with - (i == 0 ? 0.0 : known), 1e-12);
            // Of one row the gain never increases as others join.
            const double gain = joint.gain(rows[5]);
            EXPECT_LE(gain, last_gain + 1e-12);
            last_gain = gain;
            joint.add(static_cast<RowId>(i), rows[i]);
            const double bound =
                std::min(std::log(static_cast<double>(members)),
                         static_cast<double>(i + 1) * std::log(static_cast<double>(classes)));
            EXPECT_LE(joint.information(), bound + 1e-12);
        }
        EXPECT_TRUE(joint.is_exact());
    }
}

TEST(JointLabels, samples_are_close_to_all_joint_labels) {
    for (unsigned pool = 0; pool < 4; ++pool) {
        SCOPED_TRACE(pool);
        const std::vector<Table> rows = random_rows(6, 5, 3, 50 + pool);
        JointLabels exact(5, 3, 1'000'000, {});
        JointLabels sampled(5, 3, 2000, {7, 1});
        JointLabels always(5, 3, 2, {7, 1});
        for (std::size_t i = 0; i < 5; ++i) {
            exact.add(static_cast<RowId>(i), rows[i]);
            sampled.add(static_cast<RowId>(i), rows[i]);
            always.add(static_cast<RowId>(i), rows[i]);
        }
        EXPECT_TRUE(sampled.is_exact());
        sampled.add(9, rows[0]);
        sampled.add(10, rows[1]);
        sampled.add(11, rows[2]);
        exact.add(9, rows[0]);
        exact.add(10, rows[1]);
        exact.add(11, rows[2]);
        EXPECT_FALSE(sampled.is_exact());
        EXPECT_TRUE(exact.is_exact());
        EXPECT_NEAR(sampled.information(), exact.information(), 0.03);
        EXPECT_NEAR(sampled.gain(rows[5]), exact.gain(rows[5]), 0.02);
        EXPECT_LE(always.information(), std::log(5.0));
    }
}

TEST(BatchBald, greedy_by_definition_on_random_pools) {
    for (unsigned pool = 0; pool < 20; ++pool) {
        SCOPED_TRACE(pool);
        const std::vector<Table> rows = random_rows(15, 4, 3, 100 + pool);
        const test::WholeShortlist list = test::grid(15, 1, 5, pool);
        std::vector<Table> chosen;
        std::vector<RowId> expected;
        for (int pick = 0; pick < 4; ++pick) {
            double best = -1.0;
            std::size_t number = 0;
            for (std::size_t r = 0; r < rows.size(); ++r) {
                const RowId row = list.row(static_cast<std::int64_t>(r));
                if (std::count(expected.begin(), expected.end(), row) > 0) continue;
                chosen.push_back(rows[r]);
                const double value = plain_information(chosen, 4, 3);
                chosen.pop_back();
                if (value > best) best = value, number = r;
            }
            chosen.push_back(rows[number]);
            expected.push_back(list.row(static_cast<std::int64_t>(number)));
        }

        const DiverseBatch batch =
            test::run_rule(list, request_of(rows, 4, 4), test::Split::interleaved);

        EXPECT_EQ(test::rows_of(batch), expected);
    }
}

TEST(BatchBald, keeps_what_every_rule_promises) {
    for (unsigned pool = 0; pool < 2; ++pool) {
        SCOPED_TRACE(pool);
        std::vector<Table> rows = random_rows(24, 3, 4, 300 + pool);
        rows.insert(rows.end(), rows.begin(), rows.begin() + 6);  // copies
        const test::WholeShortlist list = test::grid(30, 1, 5, pool);
        const test::RuleRequest request = request_of(rows, 3, pool == 0 ? 9 : 12);
        test::expect_contract(list, request);
        const DiverseBatch batch = test::run_rule(list, request, test::Split::contiguous);
        for (std::size_t i = 0; i < batch.picks.size(); ++i) {
            EXPECT_LE(batch.picks[i].value, std::log(3.0) + 1e-6);
            if (i == 0 || i > 5) continue;
            EXPECT_GE(batch.picks[i].value, batch.picks[i - 1].value - 1e-6);
        }
    }
}

TEST(BatchBald, a_single_member_is_refused) {
    const std::vector<Table> rows = random_rows(5, 1, 3, 1);
    const test::WholeShortlist list = test::grid(5, 1, 5, 1);
    EXPECT_THROW(test::run_rule(list, request_of(rows, 1, 2), test::Split::contiguous), Error);
}

}  // namespace
}  // namespace sluice::select
