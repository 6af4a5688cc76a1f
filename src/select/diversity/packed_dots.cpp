#include "select/diversity/packed_dots.hpp"

#include "kernels/worker_pool.hpp"

#include <algorithm>

namespace sluice::select {

PackedDots::PackedDots(kernels::MatrixView rows)
    : num_rows_(rows.rows),
      dim_(rows.dim),
      panels_(static_cast<std::size_t>((rows.rows + width - 1) / width * width * rows.dim)) {
    for (std::int64_t i = 0; i < num_rows_; ++i) {
        const float* const row = rows.row(i);
        float* const to = panels_.data() + i / width * width * dim_ + i % width;
        for (std::int64_t k = 0; k < dim_; ++k)
            to[k * width] = row[k];
    }
}

void PackedDots::dot(std::span<const double> vector, std::span<double> out, int num_threads) const {
    constexpr std::int64_t panels_a_task = 64;
    const std::int64_t num_panels = (num_rows_ + width - 1) / width;
    const std::int64_t num_tasks = (num_panels + panels_a_task - 1) / panels_a_task;
    kernels::parallel_for(num_threads, num_tasks, [&](std::int64_t task) {
        const std::int64_t end = std::min(num_panels, (task + 1) * panels_a_task);
        for (std::int64_t panel = task * panels_a_task; panel < end; ++panel) {
            const float* from = panels_.data() + panel * width * dim_;
            double sums[width] = {};
            for (std::int64_t k = 0; k < dim_; ++k, from += width) {
                const double y = vector[static_cast<std::size_t>(k)];
                for (std::int64_t lane = 0; lane < width; ++lane)
                    sums[lane] += static_cast<double>(from[lane]) * y;
            }
            const std::int64_t first = panel * width;
            for (std::int64_t lane = 0; lane < width && first + lane < num_rows_; ++lane)
                out[static_cast<std::size_t>(first + lane)] = sums[lane];
        }
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
