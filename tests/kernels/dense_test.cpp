// The matrix product: one chain of fused multiply-adds for each element, whatever computes it.
#include "kernels/dense.hpp"

#include "kernels/activation_functions.hpp"
#include "kernels/dense_cpu.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace sluice::kernels {
namespace {

std::vector<float> random_values(std::int64_t count, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values)
        value = normal(generator);
    return values;
}

float activated(Activation activation, float x) {
    float result = 0.0F;
    with_activation(activation, [&](auto function) { result = function.of(x); });
    return result;
}

struct Problem {
    std::int64_t rows = 0;
    std::int64_t depth = 0;
    std::int64_t columns = 0;
    std::int64_t stride = 0;
    std::vector<float> left;
    std::vector<float> right;  // [columns, depth]
    std::vector<float> bias;

    Problem(std::int64_t num_rows, std::int64_t inner, std::int64_t outer)
        : rows(num_rows),
          depth(inner),
          columns(outer),
          stride(inner + 3),
          left(random_values(num_rows * stride, 1)),
          right(random_values(inner * outer, 2)),
          bias(random_values(outer, 3)) {}

    float element(std::int64_t i, std::int64_t j, bool biased) const {
        float sum = biased ? bias[static_cast<std::size_t>(j)] : 0.0F;
        for (std::int64_t k = 0; k < depth; ++k)
            sum = std::fma(left[static_cast<std::size_t>(i * stride + k)],
                           right[static_cast<std::size_t>(j * depth + k)], sum);
        return sum;
    }
};

constexpr float untouched = -77.0F;

// The whole output, columns that are not written included, by one instruction set.
std::vector<float> product_of(const DenseInstructions& instructions, const Problem& problem,
                              const DensePanels& panels, const float* bias, Activation activation) {
    const std::int64_t stride = problem.columns + 5;
    std::vector<float> out(static_cast<std::size_t>(problem.rows * stride), untouched);
    instructions.multiply({problem.left.data(), problem.rows, problem.stride, panels.panel(0),
                           problem.depth, problem.columns, bias, activation, out.data(), stride});
    return out;
}

void expect_product(const Problem& problem, Activation activation) {
    DensePanels panels;
    panels.pack_transposed(problem.right.data(), problem.columns, problem.depth);
    for (const DenseInstructions* instructions : usable_dense_instructions())
        for (const float* bias : {problem.bias.data(), static_cast<const float*>(nullptr)}) {
            const auto out = product_of(*instructions, problem, panels, bias, activation);
            std::size_t at = 0;
            for (std::int64_t i = 0; i < problem.rows; ++i)
                for (std::int64_t j = 0; j < problem.columns + 5; ++j, ++at) {
                    const float expected =
                        j < problem.columns
                            ? activated(activation, problem.element(i, j, bias != nullptr))
                            : untouched;
                    ASSERT_EQ(std::bit_cast<std::uint32_t>(out[at]),
                              std::bit_cast<std::uint32_t>(expected))
                        << instructions->name << ": " << problem.rows << " x " << problem.depth
                        << " x " << problem.columns << ", row " << i << ", column " << j;
                }
        }
}

TEST(Multiply, has_the_bits_of_the_chain_for_any_number_of_rows) {
    for (std::int64_t rows = 1; rows <= 40; ++rows)
        for (const std::int64_t columns : {1, 10, 16, 33})
            expect_product(Problem(rows, 7, columns), Activation::relu);
}

TEST(Multiply, has_the_bits_of_the_chain_for_any_depth_and_width) {
    for (const std::int64_t depth : {1, 2, 3, 16, 17, 64, 129})
        for (const std::int64_t columns : {1, 2, 15, 16, 17, 31, 32, 33, 48, 50, 100})
            expect_product(Problem(13, depth, columns), Activation::identity);
}

TEST(Multiply, has_the_bits_of_the_chain_in_several_blocks_of_rows) {
    expect_product(Problem(150, 1500, 18), Activation::identity);
}

TEST(Multiply, applies_every_activation) {
    for (const std::string_view name : activation_names())
        expect_product(Problem(14, 40, 21), find_activation(name));
}

TEST(Multiply, no_rows_and_no_depth) {
    expect_product(Problem(0, 3, 4), Activation::identity);
    expect_product(Problem(3, 0, 4), Activation::identity);
}

TEST(Multiply, takes_the_best_instruction_set) {
    const Problem problem(5, 9, 20);
    DensePanels panels;
    panels.pack_transposed(problem.right.data(), problem.columns, problem.depth);
    std::vector<float> out(100);
    multiply({problem.left.data(), 5, problem.stride}, panels, problem.bias.data(),
             Activation::identity, out.data(), 20);
    for (std::int64_t i = 0; i < 5; ++i)
        for (std::int64_t j = 0; j < 20; ++j)
            EXPECT_EQ(out[static_cast<std::size_t>(i * 20 + j)], problem.element(i, j, true));
}

TEST(DensePanels, both_ways_to_pack_agree) {
    const Problem problem(1, 19, 35);
    std::vector<float> transposed(problem.right.size());
    for (std::size_t k = 0; k < 19; ++k)
        for (std::size_t j = 0; j < 35; ++j)
            transposed[k * 35 + j] = problem.right[j * 19 + k];
    DensePanels panels;
    panels.pack_transposed(problem.right.data(), 35, 19);
    DensePanels other;
    other.pack(transposed.data(), 19, 35);
    EXPECT_EQ(panels.num_panels(), 3);
    EXPECT_EQ(other.depth(), 19);
    EXPECT_EQ(other.columns(), 35);
    for (std::int64_t e = 0; e < 3 * 19 * 16; ++e)
        EXPECT_EQ(panels.panel(0)[e], other.panel(0)[e]);
    EXPECT_EQ(panels.panel(2)[15], 0.0F);
}

}  // namespace
}  // namespace sluice::kernels
