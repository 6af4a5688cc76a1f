#include "select/diversity/falling_variances.hpp"

#include "kernels/square_bounds.hpp"
#include "kernels/variance_block.hpp"
#include "select/diversity/covariance.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

namespace sluice::select {
namespace {

struct Pool {
    std::int64_t dim;
    std::vector<float> values;

    std::int64_t size() const { return std::ssize(values) / dim; }
    kernels::MatrixView view() const { return {values.data(), size(), dim}; }
    std::vector<double> wide(std::int64_t i) const {
        return widened(std::span(values).subspan(static_cast<std::size_t>(i * dim),
                                                 static_cast<std::size_t>(dim)));
    }
};

Pool normal_pool(std::int64_t size, std::int64_t dim, unsigned seed, std::int64_t rank) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    std::vector<float> map(static_cast<std::size_t>(rank * dim));
    std::generate(map.begin(), map.end(), [&] { return normal(generator); });
    Pool pool{dim, {}};
    for (std::int64_t i = 0; i < size; ++i) {
        std::vector<float> row(static_cast<std::size_t>(dim));
        for (float& value : row)
            value = rank == dim ? normal(generator) : 1e-4F * normal(generator);
        for (std::int64_t r = 0; r < rank && rank < dim; ++r) {
            const float factor = normal(generator);
            for (std::int64_t k = 0; k < dim; ++k)
                row[static_cast<std::size_t>(k)] +=
                    factor * map[static_cast<std::size_t>(r * dim + k)];
        }
        pool.values.insert(pool.values.end(), row.begin(), row.end());
    }
    return pool;
}

FallingVariances make(const Pool& pool, const Looks& looks, int num_threads) {
    std::vector<FallingVariances::State> states;
    for (const double length : squared_lengths(pool.view(), 1))
        states.push_back(FallingVariances::state_of(length, length, pool.dim));
    return {pool.view(), looks, states, num_threads};
}

std::vector<std::int64_t> all_of(const Pool& pool) {
    std::vector<std::int64_t> locals(static_cast<std::size_t>(pool.size()));
    std::iota(locals.begin(), locals.end(), std::int64_t{0});
    return locals;
}

TEST(FallingVariances, have_the_same_bits_whenever_looks_come_off) {
    const Pool pool = normal_pool(300, 37, 1, 37);
    Covariance covariance(pool.dim, 0.01);
    Looks looks(pool.dim);
    FallingVariances lazy = make(pool, looks, 2);
    std::vector<double> eager = squared_lengths(pool.view(), 1);
    std::mt19937 generator(2);
    for (std::int64_t pick = 0; pick < 90; ++pick) {
        const Covariance::Look look = covariance.look_at(pool.wide(3 * pick));
        looks.add(look.direction, look.variance);
        for (std::int64_t i = 0; i < pool.size(); ++i) {
            const double along = dot(pool.wide(i), look.direction);
            eager[static_cast<std::size_t>(i)] -= along * along / look.variance;
        }
        std::vector<std::int64_t> tightened;
        std::vector<std::int64_t> refreshed;
        for (std::int64_t i = 0; i < pool.size(); ++i) {
            const std::uint_fast32_t number = generator() % 20;
            if (number < 4) tightened.push_back(i);
            if (number == 3 || number == 5) refreshed.push_back(i);
        }
        lazy.tighten(tightened);
        lazy.refresh(refreshed);
        for (const std::int64_t i : refreshed) {
            EXPECT_TRUE(lazy.is_exact(i) && lazy.is_tight(i));
            EXPECT_EQ(lazy.value(i), eager[static_cast<std::size_t>(i)]);
            EXPECT_EQ(lazy.bound(i), lazy.value(i));
        }
    }
    lazy.refresh(all_of(pool));
    for (std::int64_t i = 0; i < pool.size(); ++i)
        EXPECT_EQ(lazy.value(i), eager[static_cast<std::size_t>(i)]);
}

// Tightens all rows after some looks, and compares with what float64 has.
void expect_bounds(const Pool& pool, double sigma, std::int64_t num_looks) {
    Covariance covariance(pool.dim, sigma * sigma);
    Looks looks(pool.dim);
    FallingVariances bounds = make(pool, looks, 1);
    FallingVariances values = make(pool, looks, 1);
    for (std::int64_t pick = 0; pick < num_looks; ++pick) {
        const Covariance::Look look = covariance.look_at(pool.wide(2 * pick));
        looks.add(look.direction, look.variance);
        if (pick % 7 != 0 && pick + 1 < num_looks) continue;
        bounds.tighten(all_of(pool));
        values.refresh(all_of(pool));
        for (std::int64_t i = 0; i < pool.size(); ++i) {
            EXPECT_TRUE(bounds.is_tight(i));
            ASSERT_GE(bounds.bound(i), values.value(i)) << pick << ", row " << i;
            if (std::isfinite(bounds.state(i).slack)) {
                ASSERT_LE(bounds.bound(i) - 2.0 * bounds.state(i).slack,
                          values.value(i) + 1e-4 * dot(pool.wide(i), pool.wide(i)));
            }
        }
    }
}

TEST(FallingVariances, bounds_are_never_below) {
    for (const double sigma : {1.0, 1e-2, 1e-6}) {
        expect_bounds(normal_pool(200, 24, 3, 24), sigma, 60);
        expect_bounds(normal_pool(200, 70, 4, 70), sigma, 90);
        expect_bounds(normal_pool(200, 40, 5, 3), sigma, 60);
    }
}

TEST(FallingVariances, bounds_are_never_below_for_rows_at_right_angles) {
    // The rows at odd places are at right angles to all that is looked at; any square that float32
    // products find there is made of rounding alone.
    Pool pool = normal_pool(2, 48, 6, 48);
    std::mt19937 generator(7);
    for (std::int64_t i = 0; i < 80; ++i) {
        const auto scale = static_cast<float>(1 << (generator() % 12));
        for (std::int64_t k = 0; k < pool.dim; k += 2) {
            const float x = pool.values[static_cast<std::size_t>(k)];
            const float y = pool.values[static_cast<std::size_t>(k + 1)];
            pool.values.push_back(scale * (i % 2 == 0 ? x : y));
            pool.values.push_back(scale * (i % 2 == 0 ? y : -x));
        }
    }
    expect_bounds(pool, 0.5, 40);
}

TEST(FallingVariances, bounds_of_huge_and_tiny_rows_say_nothing_that_is_wrong) {
    for (const float scale : {1e18F, 1e-18F, 1e-30F}) {
        Pool pool = normal_pool(60, 16, 8, 16);
        for (float& value : pool.values)
            value *= scale;
        expect_bounds(pool, 0.01 * double{scale}, 30);
    }
}

TEST(FallingVariances, bounds_are_vague_where_float32_loses_what_is_left) {
    const Pool pool = normal_pool(100, 16, 9, 16);
    Covariance covariance(pool.dim, 1e-8);
    Looks looks(pool.dim);
    FallingVariances variances = make(pool, looks, 1);
    const auto look_until = [&](std::int64_t end) {
        for (std::int64_t pick = looks.count(); pick < end; ++pick) {
            const Covariance::Look look = covariance.look_at(pool.wide(pick));
            looks.add(look.direction, look.variance);
        }
        variances.tighten(all_of(pool));
    };
    look_until(8);
    EXPECT_FALSE(variances.is_vague(99));
    look_until(20);
    EXPECT_TRUE(variances.is_vague(99));
    variances.refresh(all_of(pool));
    EXPECT_FALSE(variances.is_vague(99));
    look_until(30);
    EXPECT_FALSE(variances.is_vague(99));
}

// The device's code, run on the CPU thread by thread.
class Twin : public kernels::DeviceVariances {
  public:
    Twin(kernels::MatrixView rows, int& num_calls) : rows_(rows), num_calls_(num_calls) {}

    void refresh(std::span<const std::int64_t> picked, std::span<const std::int32_t> seen,
                 const kernels::LookView& looks, std::span<double> variances) const override {
        ++num_calls_;
        EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
        const kernels::VarianceTask task{
            {rows_.data, std::ssize(picked), rows_.dim, picked.data()},
            seen.data(),
            {looks.directions.data(), std::ssize(looks.divisors), rows_.dim},
            looks.divisors.data(),
            variances.data()};
        kernels::SerialBlock<kernels::VarianceThread, kernels::wide_threads> block;
        kernels::VarianceShared shared;
        for (std::int64_t b = 0; b * kernels::wide_tile < std::ssize(picked); ++b)
            kernels::variance_block(block, shared, task, b);
    }

  private:
    kernels::MatrixView rows_;
    int& num_calls_;
};

TEST(FallingVariances, fall_to_the_same_bits_on_the_device) {
    const Pool pool = normal_pool(200, 9, 12, 9);
    std::mt19937 generator(12);
    std::normal_distribution<double> normal;
    Looks looks(pool.dim);
    int num_calls = 0;
    std::vector<FallingVariances::State> states;
    for (const double length : squared_lengths(pool.view(), 1))
        states.push_back(FallingVariances::state_of(length, length, pool.dim));
    FallingVariances here(pool.view(), looks, states, 1);
    FallingVariances there(pool.view(), looks, states, 1,
                           std::make_unique<Twin>(pool.view(), num_calls));
    std::vector<std::int64_t> locals = all_of(pool);
    std::reverse(locals.begin(), locals.end());
    // Some rows, then few, then all: they have seen more and fewer looks by then.
    for (const std::size_t count : {100U, 20U, 200U}) {
        for (int look = 0; look < 70; ++look) {
            std::vector<double> direction;
            for (std::int64_t k = 0; k < pool.dim; ++k)
                direction.push_back(normal(generator));
            looks.add(direction, 2.0 + normal(generator) * normal(generator));
        }
        here.refresh(std::span(locals).first(count));
        there.refresh(std::span(locals).first(count));
        for (std::int64_t local = 0; local < pool.size(); ++local) {
            EXPECT_EQ(here.value(local), there.value(local)) << local;
            EXPECT_EQ(here.is_exact(local), there.is_exact(local)) << local;
        }
    }
    EXPECT_EQ(num_calls, 2);  // the few were not worth it
    looks.add(std::vector<double>(static_cast<std::size_t>(pool.dim), 1.0), 1.0);
    EXPECT_TRUE(there.tighten(locals).empty());
    here.refresh(locals);
    for (const std::int64_t local : locals) {
        EXPECT_EQ(there.bound(local), here.value(local));
        EXPECT_TRUE(there.is_tight(local) && there.is_exact(local));
    }
}

}  // namespace
}  // namespace sluice::select
