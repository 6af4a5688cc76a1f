#include "select/diversity/falling_variances.hpp"

#include "kernels/variance_block.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

namespace sluice::select {
namespace {

constexpr std::int64_t num_rows = 200;
constexpr std::int64_t dim = 9;

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
    std::mt19937 generator(12);
    std::normal_distribution<double> normal;
    std::vector<float> values(static_cast<std::size_t>(num_rows * dim));
    for (float& value : values)
        value = static_cast<float>(normal(generator));
    const kernels::MatrixView rows{values.data(), num_rows, dim};
    const std::vector<double> before(static_cast<std::size_t>(num_rows), 1e3);
    int num_calls = 0;
    FallingVariances here(rows, before, 1);
    FallingVariances there(rows, before, 1, std::make_unique<Twin>(rows, num_calls));
    std::vector<std::int64_t> locals(static_cast<std::size_t>(num_rows));
    std::iota(locals.rbegin(), locals.rend(), std::int64_t{0});
    // Some rows, then few, then all: they have seen more and fewer looks by then.
    for (const std::size_t count : {100U, 20U, 200U}) {
        for (int look = 0; look < 70; ++look) {
            std::vector<double> direction;
            for (std::int64_t k = 0; k < dim; ++k)
                direction.push_back(normal(generator));
            const double variance = 2.0 + normal(generator) * normal(generator);
            here.add_look(direction, variance);
            there.add_look(direction, variance);
        }
        here.refresh(std::span(locals).first(count));
        there.refresh(std::span(locals).first(count));
        for (std::int64_t local = 0; local < num_rows; ++local) {
            EXPECT_EQ(here.of(local), there.of(local)) << local;
            EXPECT_EQ(here.is_fresh(local), there.is_fresh(local)) << local;
        }
    }
    EXPECT_EQ(num_calls, 2);  // the few were not worth it
}

}  // namespace
}  // namespace sluice::select
