// Products on the device, run on the CPU thread by thread; and, where a device is there, on it.
#include "kernels/cuda/device.hpp"
#include "kernels/cuda/thread_block.hpp"
#include "kernels/device_sample.hpp"
#include "kernels/product_block.hpp"
#include "kernels/sample_search_block.hpp"
#include "network_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace sluice::kernels {
namespace {

/// A layer that is a part of wider matrices on both sides.
template <class Shape>
void expect_product(std::int64_t rows, std::int64_t inner, std::int64_t columns, std::int64_t gap) {
    SCOPED_TRACE(testing::Message() << rows << " x " << inner << " x " << columns << ", " << gap
                                    << " apart, tiles of " << Shape::columns);
    const auto count = [](std::int64_t number) { return static_cast<std::size_t>(number); };
    const std::int64_t stride = inner + gap;
    auto left = random_floats(count(rows * stride), 51);
    auto right = random_floats(count(inner * columns), 52);
    auto bias = random_floats(count(columns), 53);
    // The first output is a chain of -0, which one term of +0 too many would end.
    bias[0] = -0.0F;
    for (std::int64_t k = 0; k < inner; ++k) {
        right[count(k * columns)] = 0.0F;
        left[count(gap + k)] = -1.0F;
    }
    const Activation activation = gap == 0 ? Activation::identity : Activation::tanh;
    const float untouched = 77.0F;
    std::vector<float> out(count(rows * (columns + 1)), untouched);
    const Product product{left.data() + gap, rows,        stride,     right.data(), inner,
                          columns,           bias.data(), activation, out.data(),   columns + 1};
    SerialBlock<typename Shape::Thread, Shape::threads> block;
    typename Shape::Shared shared;
    for (std::int64_t row = 0; row < rows; row += Shape::rows)
        for (std::int64_t column = 0; column < columns; column += Shape::columns) {
            std::fill_n(reinterpret_cast<unsigned char*>(&shared), sizeof shared, 0xff);
            product_block<Shape>(block, shared, product, {row, column});
        }
    for (std::int64_t row = 0; row < rows; ++row)
        for (std::int64_t column = 0; column < columns + 1; ++column) {
            float expected = untouched;
            if (column < columns) {
                expected = bias[count(column)];
                for (std::int64_t k = 0; k < inner; ++k)
                    expected = std::fma(left[count(gap + row * stride + k)],
                                        right[count(k * columns + column)], expected);
                expected = activate(activation, expected);
            }
            ASSERT_EQ(std::bit_cast<std::uint32_t>(out[count(row * (columns + 1) + column)]),
                      std::bit_cast<std::uint32_t>(expected))
                << row << ", " << column;
        }
}

template <class Shape>
class ProductTwin : public testing::Test {};
using ProductShapes = testing::Types<ProductShape<1>, ProductShape<4>, ProductShape<8>>;
TYPED_TEST_SUITE(ProductTwin, ProductShapes);

TYPED_TEST(ProductTwin, is_one_chain_for_each_output_whatever_the_shape) {
    for (const std::int64_t gap : {0, 3, 4}) {
        expect_product<TypeParam>(1, 1, 1, gap);
        expect_product<TypeParam>(129, 8, TypeParam::columns, gap);
        expect_product<TypeParam>(130, 21, TypeParam::columns + 3, gap);
        expect_product<TypeParam>(64, 16, 12, gap);
    }
}

struct SampleCase {
    std::int64_t rows;
    std::int64_t sample;
    std::int64_t dim;
    std::vector<float> x;
    std::vector<float> y;
    std::vector<float> norms;
    std::vector<std::int64_t> numbers;  // every third row of the pool, of which x begins at 2
};

SampleCase make_sample_case(std::int64_t rows, std::int64_t sample, std::int64_t dim) {
    SampleCase made{rows,
                    sample,
                    dim,
                    random_floats(static_cast<std::size_t>(rows * dim), 61),
                    random_floats(static_cast<std::size_t>(sample * dim), 62),
                    {},
                    {}};
    // Ties: the second half of the sample is the first half once more.
    std::copy_n(made.y.begin(), sample / 2 * dim, made.y.end() - sample / 2 * dim);
    for (std::int64_t j = 0; j < sample; ++j) {
        float norm = 0.0F;
        for (std::int64_t k = 0; k < dim; ++k)
            norm += made.y[static_cast<std::size_t>(j * dim + k)] *
                    made.y[static_cast<std::size_t>(j * dim + k)];
        made.norms.push_back(norm);
        made.numbers.push_back(3 * j);
    }
    return made;
}

/// All of the sample in order, cut off.
std::vector<std::int32_t> sorted_sample(const SampleCase& made) {
    std::vector<std::int32_t> found;
    for (std::int64_t i = 0; i < made.rows; ++i) {
        std::vector<std::pair<float, std::int32_t>> order;
        for (std::int64_t j = 0; j < made.sample; ++j) {
            float product = 0.0F;
            for (std::int64_t k = 0; k < made.dim; ++k)
                product = std::fma(made.x[static_cast<std::size_t>(i * made.dim + k)],
                                   made.y[static_cast<std::size_t>(j * made.dim + k)], product);
            if (made.numbers[static_cast<std::size_t>(j)] != 2 + i)
                order.emplace_back(made.norms[static_cast<std::size_t>(j)] - 2.0F * product,
                                   static_cast<std::int32_t>(j));
        }
        std::sort(order.begin(), order.end());
        for (std::size_t kept = 0; kept < sample_search_kept; ++kept)
            found.push_back(kept < order.size() ? order[kept].second : -1);
    }
    return found;
}

const std::vector<SampleCase>& sample_cases() {
    static const std::vector<SampleCase> cases = {
        make_sample_case(1, 1, 1), make_sample_case(5, 30, 3), make_sample_case(200, 130, 9)};
    return cases;
}

TEST(SampleSearchTwin, finds_the_first_of_the_sorted_sample) {
    for (const SampleCase& made : sample_cases()) {
        SCOPED_TRACE(testing::Message() << made.rows << " x " << made.sample << " x " << made.dim);
        std::vector<float> transposed(made.y.size());
        for (std::int64_t j = 0; j < made.sample; ++j)
            for (std::int64_t k = 0; k < made.dim; ++k)
                transposed[static_cast<std::size_t>(k * made.sample + j)] =
                    made.y[static_cast<std::size_t>(j * made.dim + k)];
        std::vector<std::int32_t> found(static_cast<std::size_t>(made.rows) * sample_search_kept);
        const SampleSearchTask task{
            made.x.data(),     made.rows,           made.dim,    2,           transposed.data(),
            made.norms.data(), made.numbers.data(), made.sample, found.data()};
        SerialBlock<SampleSearch::Thread, SampleSearch::Shape::threads> block;
        SampleSearch::Shared shared;
        for (std::int64_t index = 0; index * SampleSearch::Shape::rows < made.rows; ++index) {
            std::fill_n(reinterpret_cast<unsigned char*>(&shared), sizeof shared, 0xff);
            sample_search_block(block, shared, task, index);
        }
        EXPECT_EQ(found, sorted_sample(made));
    }
}

TEST(CudaSample, finds_the_first_of_the_sorted_sample) {
    if (cuda::num_devices() == 0) GTEST_SKIP() << "no CUDA device";
    for (const SampleCase& made : sample_cases()) {
        std::vector<std::int32_t> found(static_cast<std::size_t>(made.rows) * sample_search_kept);
        make_device_sample({{made.y.data(), made.sample, made.dim}, made.norms, made.numbers})
            ->search({made.x.data(), made.rows, made.dim}, 2, found);
        EXPECT_EQ(found, sorted_sample(made));
    }
}

}  // namespace
}  // namespace sluice::kernels
