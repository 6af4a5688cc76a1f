#include "select/diversity/fisher_rows.hpp"

#include "core/partition.hpp"
#include "kernels/worker_pool.hpp"
#include "select/diversity/fisher.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace sluice::select {
namespace {

constexpr std::int64_t block_places = 64;
constexpr std::int64_t side_by_side = 4;  // rows that share a pass over a matrix

// out [4, columns] += x v for up to 4 rows, each in the order of features.
void add_products(const float* x, std::int64_t rows, std::int64_t dim, const double* v,
                  std::int64_t columns, double* out) {
    for (std::int64_t d = 0; d < dim; ++d, v += columns) {
        for (std::int64_t i = 0; i < rows; ++i) {
            const auto factor = static_cast<double>(x[i * dim + d]);
            double* const to = out + i * columns;
            for (std::int64_t k = 0; k < columns; ++k)
                to[k] += factor * v[k];
        }
    }
}

// sum [D, columns] += x^T a over rows, in their order.
void add_outer(const float* x, const double* a, std::int64_t rows, std::int64_t dim,
               std::int64_t columns, double* sum) {
    for (std::int64_t first = 0; first < rows; first += side_by_side) {
        const std::int64_t end = std::min(rows, first + side_by_side);
        for (std::int64_t d = 0; d < dim; ++d) {
            double* const to = sum + d * columns;
            for (std::int64_t i = first; i < end; ++i) {
                const auto factor = static_cast<double>(x[i * dim + d]);
                const double* const from = a + i * columns;
                for (std::int64_t k = 0; k < columns; ++k)
                    to[k] += factor * from[k];
            }
        }
    }
}

// The step of a sum of so many blocks, none of which has a larger sum.
double scale_for(double largest, std::int64_t num_blocks) {
    if (!(largest > 0.0)) return 1.0;
    const int bits = 61 - static_cast<int>(std::bit_width(static_cast<std::uint64_t>(num_blocks)));
    return std::ldexp(1.0, bits - std::ilogb(largest));
}

}  // namespace

/// What numbers of a sum [D, columns] are multiplied by before they become whole.
struct FisherRows::Scales {
    std::vector<double> of_column;  ///< largest |a|
    std::int64_t num_blocks = 1;

    double at(float largest_x, std::size_t column) const {
        return scale_for(
            static_cast<double>(block_places) * static_cast<double>(largest_x) * of_column[column],
            num_blocks);
    }
};

FisherRows::FisherRows(const ShortlistShare& share, int num_threads, comm::Communicator& world)
    : dim_(share.features.dim),
      classes_(share.classes),
      num_threads_(num_threads),
      rows_(world.all_gather(share.rows)),
      num_centers_(share.num_centers),
      largest_(static_cast<std::size_t>(dim_), 0.0F) {
    const auto num_own = share.rows.size() * static_cast<std::size_t>(dim_);
    const auto values = world.all_gather(std::span(share.features.data, num_own));
    const auto says = world.all_gather(share.member_says);
    std::vector<std::size_t> order(rows_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return rows_[a] < rows_[b]; });
    std::sort(rows_.begin(), rows_.end());
    own_ = part_of_rows(num_places(), world.rank(), world.size(), block_places);
    keep_own(values, says, order, share);
}

void FisherRows::keep_own(std::span<const float> values, std::span<const float> says,
                          std::span<const std::size_t> order, const ShortlistShare& share) {
    const auto floats = static_cast<std::size_t>(share.members * share.classes);
    const auto dim = static_cast<std::size_t>(dim_);
    std::int64_t place = 0;
    const auto keep = [&](std::span<const float> x, std::span<const float> own_says) {
        for (std::size_t d = 0; d < dim; ++d)
            largest_[d] = std::max(largest_[d], std::fabs(x[d]));
        if (place >= own_.begin && place < own_.end) {
            x_.insert(x_.end(), x.begin(), x.end());
            const std::vector<double> p = mean_probabilities(own_says, share.members);
            p_.insert(p_.end(), p.begin(), p.end());
        }
        ++place;
    };
    for (const std::size_t i : order)
        keep(values.subspan(i * dim, dim), says.subspan(i * floats, floats));
    if (num_centers_ == 0) return;
    share.visit_saying_centers([&](kernels::MatrixView centers, std::span<const float> said) {
        for (std::int64_t i = 0; i < centers.rows; ++i)
            keep({centers.row(i), dim}, said.subspan(static_cast<std::size_t>(i) * floats, floats));
    });
}

std::vector<double> FisherRows::products(std::span<const double> v, std::int64_t columns) const {
    std::vector<double> out(static_cast<std::size_t>(own_.size() * columns), 0.0);
    const std::int64_t tasks = (own_.size() + side_by_side - 1) / side_by_side;
    kernels::parallel_for(num_threads_, tasks, [&](std::int64_t task) {
        const std::int64_t first = task * side_by_side;
        add_products(x(first), std::min(side_by_side, own_.size() - first), dim_, v.data(), columns,
                     out.data() + first * columns);
    });
    return out;
}

FisherRows::Scales FisherRows::scales_of(std::span<const double> a, std::int64_t columns,
                                         comm::Communicator& world) const {
    // Bits of the magnitude order as the magnitude does.
    std::vector<std::int64_t> largest(static_cast<std::size_t>(columns), 0);
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::int64_t& bound = largest[i % largest.size()];
        bound = std::max(bound, std::bit_cast<std::int64_t>(std::fabs(a[i])));
    }
    world.max(largest);
    Scales scales;
    for (const std::int64_t bits : largest)
        scales.of_column.push_back(std::bit_cast<double>(bits));
    scales.num_blocks = (num_places() + block_places - 1) / block_places;
    return scales;
}

std::vector<double> FisherRows::sum(std::span<const double> a, std::int64_t columns,
                                    comm::Communicator& world) const {
    const Scales scales = scales_of(a, columns, world);
    const auto size = static_cast<std::size_t>(dim_ * columns);
    std::vector<double> steps(size);
    for (std::size_t i = 0; i < size; ++i)
        steps[i] = scales.at(largest_[i / static_cast<std::size_t>(columns)],
                             i % static_cast<std::size_t>(columns));
    const std::int64_t num_blocks = (own_.size() + block_places - 1) / block_places;
    std::vector<std::vector<std::int64_t>> parts(static_cast<std::size_t>(num_threads_));
    kernels::parallel_for(num_threads_, num_threads_, [&](std::int64_t part) {
        std::vector<std::int64_t>& whole = parts[static_cast<std::size_t>(part)];
        whole.assign(size, 0);
        std::vector<double> partial(size);
        const RowRange blocks = part_of_rows(num_blocks, static_cast<int>(part), num_threads_);
        for (std::int64_t block = blocks.begin; block < blocks.end; ++block) {
            const std::int64_t first = block * block_places;
            std::fill(partial.begin(), partial.end(), 0.0);
            add_outer(x(first), a.data() + first * columns,
                      std::min(block_places, own_.size() - first), dim_, columns, partial.data());
            for (std::size_t i = 0; i < size; ++i)
                whole[i] += std::llrint(partial[i] * steps[i]);
        }
    });
    std::vector<std::int64_t>& total = parts.front();
    for (std::size_t part = 1; part < parts.size(); ++part)
        for (std::size_t i = 0; i < size; ++i)
            total[i] += parts[part][i];
    world.sum(total);
    std::vector<double> result(size);
    for (std::size_t i = 0; i < size; ++i)
        result[i] = static_cast<double>(total[i]) / steps[i];
    return result;
}

std::vector<Matrix> FisherRows::class_blocks(std::span<const double> weights,
                                             comm::Communicator& world) const {
    std::vector<Matrix> blocks;
    std::vector<double> a(x_.size());
    for (std::int64_t c = 0; c < classes_; ++c) {
        for (std::int64_t i = 0; i < own_.size(); ++i) {
            const double share = p(i)[c];
            const double weight =
                weights[static_cast<std::size_t>(own_.begin + i)] * share * (1.0 - share);
            for (std::int64_t d = 0; d < dim_; ++d)
                a[static_cast<std::size_t>(i * dim_ + d)] = weight * static_cast<double>(x(i)[d]);
        }
        blocks.emplace_back(dim_, dim_);
        blocks.back().values = sum(a, dim_, world);
        Matrix& block = blocks.back();  // rounded in two ways: the lower half counts
        for (std::int64_t i = 0; i < dim_; ++i)
            for (std::int64_t k = 0; k < i; ++k)
                block.row(k)[i] = block.row(i)[k];
    }
    return blocks;
}

std::vector<float> FisherRows::x_of(std::int64_t place, comm::Communicator& world) const {
    const bool is_own = place >= own_.begin && place < own_.end;
    return world.all_gather(std::span<const float>(is_own ? x(place - own_.begin) : nullptr,
                                                   is_own ? static_cast<std::size_t>(dim_) : 0));
}

std::vector<double> FisherRows::p_of(std::int64_t place, comm::Communicator& world) const {
    const bool is_own = place >= own_.begin && place < own_.end;
    return world.all_gather(std::span<const double>(
        is_own ? p(place - own_.begin) : nullptr, is_own ? static_cast<std::size_t>(classes_) : 0));
}

}  // namespace sluice::select
