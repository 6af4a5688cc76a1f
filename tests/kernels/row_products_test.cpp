#include "kernels/row_products.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <vector>

namespace sluice::kernels {
namespace {

struct Products {
    std::int64_t dim;
    std::vector<float> rows;
    std::vector<std::vector<double>> vectors;
};

Products make(std::int64_t num_rows, std::int64_t dim, int num_vectors) {
    std::mt19937 generator(3);
    std::normal_distribution<double> normal;
    Products result{dim, {}, {}};
    for (std::int64_t i = 0; i < num_rows * dim; ++i)
        result.rows.push_back(static_cast<float>(normal(generator)));
    for (int v = 0; v < num_vectors; ++v) {
        result.vectors.emplace_back();
        for (std::int64_t k = 0; k < dim; ++k)
            result.vectors.back().push_back(normal(generator));
    }
    return result;
}

TEST(RowProducts, are_one_chain_each_on_every_tile) {
    const ProductsTile tile = products_tile();
    for (const std::int64_t dim : {1, 7, 8, 21}) {
        const std::int64_t num_rows = tile.panels * products_panel;
        const Products made = make(num_rows, dim, tile.vectors);
        std::vector<std::int64_t> picked(static_cast<std::size_t>(num_rows));
        std::iota(picked.rbegin(), picked.rend(), std::int64_t{0});
        for (int panels = 1; panels <= tile.panels; ++panels) {
            for (int count = 1; count <= tile.vectors; ++count) {
                // The last panel is not full.
                const std::int64_t rows = panels * products_panel - 3;
                std::vector<float> packed(static_cast<std::size_t>(num_rows * dim));
                pack_products({made.rows.data(), num_rows, dim},
                              std::span(picked).first(static_cast<std::size_t>(rows)),
                              packed.data());
                std::vector<const double*> vectors;
                for (int v = 0; v < count; ++v)
                    vectors.push_back(made.vectors[static_cast<std::size_t>(v)].data());
                std::vector<double> products(static_cast<std::size_t>(count * num_rows));
                row_products(packed.data(), panels, dim, vectors, products.data());
                for (int v = 0; v < count; ++v) {
                    for (std::int64_t j = 0; j < rows; ++j) {
                        const float* const row =
                            made.rows.data() + picked[static_cast<std::size_t>(j)] * dim;
                        double sum = 0.0;
                        for (std::int64_t k = 0; k < dim; ++k)
                            sum += double{row[k]} * vectors[static_cast<std::size_t>(v)][k];
                        EXPECT_EQ(
                            products[static_cast<std::size_t>(v * panels * products_panel + j)],
                            sum);
                    }
                }
            }
        }
    }
}

TEST(RowProducts, squares_come_off_those_that_have_not_seen_them) {
    const Products made = make(1, 1, 1);
    std::vector<double> products;
    std::vector<double> seen;
    std::vector<double> values;
    for (int j = 0; j < 24; ++j) {
        products.push_back(1e3 * made.vectors[0][0] + j);
        seen.push_back(j % 7);
        values.push_back(j * 0.1);
    }
    std::vector<double> result = values;
    take_off_squares(products.data(), 0.7, seen.data(), 3.0, result);
    for (std::size_t j = 0; j < result.size(); ++j) {
        const double square = products[j] * products[j];
        EXPECT_EQ(result[j], seen[j] <= 3.0 ? values[j] - square / 0.7 : values[j]);
    }
}

}  // namespace
}  // namespace sluice::kernels
