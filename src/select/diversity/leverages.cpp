#include "select/diversity/leverages.hpp"

#include "kernels/row_products.hpp"
#include "kernels/worker_pool.hpp"
#include "select/diversity/packed_dots.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::select {
namespace {

constexpr std::int64_t width = kernels::products_panel;
constexpr std::int64_t panels_a_task = 64;

// What a rank has of F: lines [begin, end) from the diagonal on.
struct Lines {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int64_t dim = 0;
    std::vector<double> values;

    // The rows' x x', one row after the other.
    void add(kernels::MatrixView rows) {
        for (std::int64_t i = 0; i < rows.rows; ++i) {
            const float* const x = rows.row(i);
            for (std::int64_t k = begin; k < end; ++k) {
                const auto factor = static_cast<double>(x[k]);
                double* const line = values.data() + (k - begin) * dim;
                for (std::int64_t l = k; l < dim; ++l)
                    line[l] += factor * static_cast<double>(x[l]);
            }
        }
    }

    // The same by blocks of rows, each block's sum as products of its columns, from 0 on.
    void add_blocks(kernels::MatrixView rows, int num_threads) {
        constexpr std::int64_t block = 256;
        std::vector<float> columns(static_cast<std::size_t>(dim * block));
        kernels::AlignedFloats panels;
        for (std::int64_t first = 0; first < rows.rows; first += block) {
            const std::int64_t count = std::min(block, rows.rows - first);
            for (std::int64_t k = 0; k < dim; ++k)
                for (std::int64_t i = 0; i < count; ++i)
                    columns[static_cast<std::size_t>(k * count + i)] = rows.row(first + i)[k];
            const kernels::MatrixView turned{columns.data(), dim, count};
            kernels::pack_products(turned, {},
                                   panels.reserve((dim + width - 1) / width * width * count));
            const std::int64_t at_once = kernels::products_tile().vectors;
            kernels::parallel_for(
                num_threads, (end - begin + at_once - 1) / at_once, [&](std::int64_t task) {
                    const std::int64_t k = begin + task * at_once;
                    add_products(turned, panels.data(), k, std::min(end, k + at_once));
                });
        }
    }

    // Lines [from, to) of a block's sum; `columns` [dim, rows of the block], also in panels.
    void add_products(kernels::MatrixView columns, const float* panels, std::int64_t from,
                      std::int64_t to) {
        std::vector<double> wide;
        for (std::int64_t k = from; k < to; ++k)
            wide.insert(wide.end(), columns.row(k), columns.row(k) + columns.dim);
        std::vector<const double*> vectors;
        for (std::int64_t k = from; k < to; ++k)
            vectors.push_back(wide.data() + (k - from) * columns.dim);
        const std::int64_t num_panels = (dim + width - 1) / width;
        const std::int64_t at_once = kernels::products_tile().panels;
        std::vector<double> products(static_cast<std::size_t>((to - from) * at_once * width));
        for (std::int64_t panel = from / width; panel < num_panels; panel += at_once) {
            const std::int64_t count = std::min(at_once, num_panels - panel);
            kernels::row_products(panels + panel * width * columns.dim, static_cast<int>(count),
                                  columns.dim, vectors, products.data());
            for (std::int64_t k = from; k < to; ++k) {
                const double* const own = products.data() + (k - from) * count * width;
                const std::int64_t last = std::min(dim, (panel + count) * width);
                for (std::int64_t l = std::max(k, panel * width); l < last; ++l)
                    values[static_cast<std::size_t>((k - begin) * dim + l)] +=
                        own[l - panel * width];
            }
        }
    }
};

// Lines so that ranks have about the same number of elements on and right of the diagonal.
std::int64_t first_line(std::int64_t dim, int rank, int num_ranks) {
    const double left = 1.0 - static_cast<double>(rank) / static_cast<double>(num_ranks);
    return dim - static_cast<std::int64_t>(std::sqrt(left) * static_cast<double>(dim));
}

std::vector<double> times(std::span<const double> matrix, std::span<const double> x) {
    std::vector<double> result(x.size());
    for (std::size_t k = 0; k < x.size(); ++k)
        result[k] = dot(matrix.subspan(k * x.size(), x.size()), x);
    return result;
}

// x' A [D], of the lines of A [D,D].
template <typename LineOf>
std::vector<double> times_lines(std::span<const double> x, const LineOf& line_of) {
    std::vector<double> result(x.size(), 0.0);
    for (std::size_t l = 0; l < x.size(); ++l) {
        const double* const line = line_of(static_cast<std::int64_t>(l));
        for (std::size_t j = 0; j < x.size(); ++j)
            result[j] += x[l] * line[j];
    }
    return result;
}

// M F M [D,D], line by line.
std::vector<double> both_sides(const Covariance& m, std::span<const double> information,
                               int num_threads) {
    const std::int64_t dim = m.dim();
    std::vector<double> result(information.size());
    kernels::parallel_for(num_threads, dim, [&](std::int64_t k) {
        const std::vector<double> half = times_lines(
            m.matrix_row(k), [&](std::int64_t l) { return information.data() + l * dim; });
        const std::vector<double> line =
            times_lines(half, [&](std::int64_t l) { return m.matrix_row(l).data(); });
        std::copy(line.begin(), line.end(), result.begin() + k * dim);
    });
    return result;
}

Glance glance_at(std::span<const double> x, std::span<const double> information,
                 const Covariance& m) {
    Glance glance;
    glance.m = m.times(x);
    const std::vector<double> f_m = times(information, glance.m);
    glance.w = m.times(f_m);
    glance.m_f_m = dot(glance.m, f_m);
    return glance;
}

}  // namespace

std::vector<double> information_of(const AllRows& all, const ShortlistShare& share, int num_threads,
                                   comm::Communicator& world) {
    const std::int64_t dim = all.dim;
    Lines lines{first_line(dim, world.rank(), world.size()),
                first_line(dim, world.rank() + 1, world.size()),
                dim,
                {}};
    lines.values.assign(static_cast<std::size_t>((lines.end - lines.begin) * dim), 0.0);
    lines.add_blocks(all.view(), num_threads);
    if (share.num_centers > 0) {
        share.visit_centers([&](kernels::MatrixView centers) { lines.add(centers); });
    }
    std::vector<double> whole = world.all_gather(std::span<const double>(lines.values));
    for (std::int64_t k = 0; k < dim; ++k) {
        for (std::int64_t l = 0; l < k; ++l)
            whole[static_cast<std::size_t>(k * dim + l)] =
                whole[static_cast<std::size_t>(l * dim + k)];
    }
    return whole;
}

double usual_length(const AllRows& all, const ShortlistShare& share) {
    double sum = 0.0;
    std::int64_t count = 0;
    const auto add = [&](kernels::MatrixView rows) {
        for (std::int64_t i = 0; i < rows.rows; ++i) {
            const std::vector<double> x =
                widened({rows.row(i), static_cast<std::size_t>(rows.dim)});
            sum += dot(x, x);
        }
        count += rows.rows;
    };
    if (share.num_centers > 0) {
        share.visit_centers(add);
    } else {
        add(all.view());
    }
    return sum > 0.0 ? std::sqrt(sum / static_cast<double>(count)) : 1.0;
}

Glance look_at(std::span<const double> x, std::span<const double> information, Covariance& m) {
    Glance glance = glance_at(x, information, m);
    glance.variance = m.look_at(x).variance;
    return glance;
}

Glance forget(std::span<const double> x, std::span<const double> information, Covariance& m) {
    Glance glance = glance_at(x, information, m);
    glance.variance = -m.forget(x).variance;
    return glance;
}

Leverages::Leverages(kernels::MatrixView rows, const Covariance& m,
                     std::span<const double> information, int num_threads)
    : num_rows_(rows.rows), dim_(rows.dim), num_threads_(num_threads) {
    kernels::pack_products(rows, {}, panels_.reserve(num_panels() * width * dim_));
    std::vector<double> matrix;
    for (std::int64_t k = 0; k < dim_; ++k)
        matrix.insert(matrix.end(), m.matrix_row(k).begin(), m.matrix_row(k).end());
    v_ = forms(matrix);
    b_ = forms(both_sides(m, information, num_threads));
}

std::int64_t Leverages::num_panels() const {
    return (num_rows_ + width - 1) / width;
}

// x' A x of all rows: A x by some rows of A at a time, then the chain over x.
std::vector<double> Leverages::forms(std::span<const double> matrix) const {
    std::vector<double> result(static_cast<std::size_t>(num_panels() * width), 0.0);
    const std::int64_t at_once = kernels::products_tile().vectors;
    kernels::parallel_for(num_threads_, num_panels(), [&](std::int64_t number) {
        const float* const panel = panels_.data() + number * width * dim_;
        std::vector<double> products(static_cast<std::size_t>(at_once * width));
        double* const sums = result.data() + number * width;
        for (std::int64_t k = 0; k < dim_; k += at_once) {
            std::vector<const double*> lines;
            for (std::int64_t line = k; line < std::min(dim_, k + at_once); ++line)
                lines.push_back(matrix.data() + line * dim_);
            kernels::row_products(panel, 1, dim_, lines, products.data());
            for (std::int64_t line = 0; line < std::ssize(lines); ++line)
                for (std::int64_t j = 0; j < width; ++j)
                    sums[j] += static_cast<double>(panel[(k + line) * width + j]) *
                               products[static_cast<std::size_t>(line * width + j)];
        }
    });
    return result;
}

void Leverages::update(const Glance& glance) {
    const std::vector<const double*> both = {glance.m.data(), glance.w.data()};
    const kernels::ProductsTile tile = kernels::products_tile();
    const std::size_t at_once = std::min<std::size_t>(both.size(), tile.vectors);
    const std::int64_t num_tasks = (num_panels() + panels_a_task - 1) / panels_a_task;
    kernels::parallel_for(num_threads_, num_tasks, [&](std::int64_t task) {
        const std::int64_t last = std::min(num_panels(), (task + 1) * panels_a_task);
        std::vector<double> along(static_cast<std::size_t>(2 * tile.panels * width));
        for (std::int64_t first = task * panels_a_task; first < last; first += tile.panels) {
            const std::int64_t count = std::min<std::int64_t>(tile.panels, last - first);
            for (std::size_t v = 0; v < both.size(); v += at_once)
                kernels::row_products(panels_.data() + first * width * dim_,
                                      static_cast<int>(count), dim_,
                                      std::span(both).subspan(v, at_once),
                                      along.data() + static_cast<std::int64_t>(v) * count * width);
            take_off(first * width, std::span(along).first(static_cast<std::size_t>(count * width)),
                     along.data() + count * width, glance);
        }
    });
}

void Leverages::take_off(std::int64_t first, std::span<const double> along_m, const double* along_w,
                         const Glance& glance) {
    double* const v = v_.data() + first;
    double* const b = b_.data() + first;
    for (std::size_t i = 0; i < along_m.size(); ++i) {
        const double part = along_m[i] / glance.variance;
        v[i] -= along_m[i] * part;
        b[i] -= 2.0 * part * along_w[i] - part * part * glance.m_f_m;
    }
}

}  // namespace sluice::select
