#include "select/diversity/packed_dots.hpp"

#include "kernels/row_products.hpp"
#include "kernels/worker_pool.hpp"

#include <algorithm>

namespace sluice::select {
namespace {

constexpr std::int64_t width = kernels::products_panel;
constexpr std::int64_t max_tile_rows = 32;

}  // namespace

PackedDots::PackedDots(kernels::MatrixView rows) : num_rows_(rows.rows), dim_(rows.dim) {
    const std::int64_t num_panels = (num_rows_ + width - 1) / width;
    kernels::pack_products(rows, {}, panels_.reserve(num_panels * width * dim_));
}

void PackedDots::dot(std::span<const double> vector, std::span<double> out, int num_threads) const {
    constexpr std::int64_t rows_a_task = 512;
    const double* const vectors[] = {vector.data()};
    const std::int64_t rows_a_tile = kernels::products_tile().panels * width;
    const auto tile = [&](std::int64_t begin, std::int64_t end) {
        double sums[max_tile_rows];
        const auto num_panels = static_cast<int>((end - begin + width - 1) / width);
        kernels::row_products(panels_.data() + begin * dim_, num_panels, dim_, vectors, sums);
        std::copy_n(sums, end - begin, out.begin() + begin);
    };
    kernels::parallel_for(
        num_threads, (num_rows_ + rows_a_task - 1) / rows_a_task, [&](std::int64_t task) {
            const std::int64_t last = std::min(num_rows_, (task + 1) * rows_a_task);
            for (std::int64_t begin = task * rows_a_task; begin < last; begin += rows_a_tile)
                tile(begin, std::min(last, begin + rows_a_tile));
        });
}

double dot(std::span<const double> x, std::span<const double> y) {
    double sum = 0.0;
    for (std::size_t k = 0; k < x.size(); ++k)
        sum += x[k] * y[k];
    return sum;
}

std::vector<double> widened(std::span<const float> values) {
    return {values.begin(), values.end()};
}

}  // namespace sluice::select
