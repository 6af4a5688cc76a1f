#include "select/near_copies.hpp"

#include "core/partition.hpp"
#include "kernels/nearest_center.hpp"

#include <algorithm>
#include <limits>

namespace sluice::select {
namespace {

constexpr std::size_t rows_at_once = 256;
constexpr float infinity = std::numeric_limits<float>::infinity();

}  // namespace

NearCopies::NearCopies(const pool::Dataset& features, const Plan& plan, float within,
                       comm::Communicator& world)
    : features_(features), plan_(plan), within_(within), world_(world), reader_(features) {}

bool NearCopies::is_near(float squared) const {
    return distance_of(squared, plan_.metric) <= within_;
}

// Ascending, on every rank; bad rows are left out.
FeatureRows NearCopies::read_block(std::span<const RowId> rows) {
    std::vector<RowId> ascending(rows.begin(), rows.end());
    std::sort(ascending.begin(), ascending.end());
    const RowRange part = part_of_rows(std::ssize(ascending), world_.rank(), world_.size());
    FeatureRows own;
    world_.agree([&] {
        own = read_features(features_, reader_, plan_,
                            {ascending.begin() + part.begin, ascending.begin() + part.end});
    });
    rows_read_ += part.size();
    FeatureRows all;
    all.dim = features_.row_elements();
    all.rows = world_.all_gather(std::span<const RowId>(own.rows));
    all.values = world_.all_gather(std::span<const float>(own.values));
    return all;
}

void NearCopies::store(const float* row) {
    if (num_kept_++ % world_.size() == world_.rank())
        kept_.insert(kept_.end(), row, row + features_.row_elements());
}

void NearCopies::keep(std::span<const RowId> rows) {
    for (std::size_t begin = 0; begin < rows.size(); begin += rows_at_once) {
        const FeatureRows block =
            read_block(rows.subspan(begin, std::min(rows_at_once, rows.size() - begin)));
        for (std::int64_t i = 0; i < std::ssize(block.rows); ++i)
            store(block.view().row(i));
    }
}

std::vector<char> NearCopies::admit(std::span<const RowId> rows) {
    std::vector<char> stays;
    for (std::size_t begin = 0; begin < rows.size(); begin += rows_at_once) {
        const std::vector<char> of_block =
            admit_block(rows.subspan(begin, std::min(rows_at_once, rows.size() - begin)));
        stays.insert(stays.end(), of_block.begin(), of_block.end());
    }
    return stays;
}

// Of all ranks' kept rows.
std::vector<char> NearCopies::are_near_kept(const FeatureRows& block) {
    const std::int64_t dim = features_.row_elements();
    std::vector<float> nearest(block.rows.size(), infinity);
    kernels::relax_nearest(kernels::Backend::cpu, block.view(),
                           {kept_.data(), std::ssize(kept_) / dim, dim}, nearest,
                           plan_.num_threads);
    std::vector<std::int64_t> near;
    for (const float squared : nearest)
        near.push_back(is_near(squared) ? 1 : 0);
    world_.max(near);
    return {near.begin(), near.end()};
}

std::vector<char> NearCopies::admit_block(std::span<const RowId> rows) {
    const FeatureRows block = read_block(rows);
    num_skipped_ += std::ssize(rows) - std::ssize(block.rows);
    const std::vector<char> near_kept = are_near_kept(block);
    const kernels::MatrixView values = block.view();
    std::vector<char> stays(rows.size(), 0);
    std::vector<float> admitted;  // of this block
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto found = std::lower_bound(block.rows.begin(), block.rows.end(), rows[i]);
        if (found == block.rows.end() || *found != rows[i]) continue;
        const std::int64_t at = found - block.rows.begin();
        if (near_kept[static_cast<std::size_t>(at)] != 0) continue;
        float nearest = infinity;
        const std::int64_t num_admitted = std::ssize(admitted) / values.dim;
        kernels::relax_nearest(kernels::Backend::cpu, {values.row(at), 1, values.dim},
                               {admitted.data(), num_admitted, values.dim}, {&nearest, 1}, 1);
        if (is_near(nearest)) continue;
        stays[i] = 1;
        admitted.insert(admitted.end(), values.row(at), values.row(at) + values.dim);
        store(values.row(at));
    }
    return stays;
}

std::int64_t NearCopies::memory(std::int64_t rows, std::int64_t dim, int num_ranks) {
    const std::int64_t share = (rows + num_ranks - 1) / num_ranks;
    // Growing doubles what a vector holds; a block exists twice while it is put together.
    return (2 * share + 4 * static_cast<std::int64_t>(rows_at_once)) * dim *
           static_cast<std::int64_t>(sizeof(float));
}

}  // namespace sluice::select
