#pragma once

#include "core/types.hpp"
#include "kernels/nearest_center.hpp"
#include "support/mpi_main.hpp"

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace sluice::test {

/// A whole shortlist, the same on every rank. Row ids are not the positions.
struct WholeShortlist {
    std::int64_t dim = 1;
    std::vector<float> features;
    std::vector<float> scores;

    std::int64_t size() const { return static_cast<std::int64_t>(scores.size()); }
    RowId row(std::int64_t position) const { return 3 * position + 7; }
    std::int64_t position(RowId row) const { return (row - 7) / 3; }
    const float* at(std::int64_t position) const { return features.data() + position * dim; }
    kernels::MatrixView view() const { return {features.data(), size(), dim}; }
};

/// Around a few middles; scores in (0, 1).
inline WholeShortlist clustered(std::int64_t size, std::int64_t dim, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    WholeShortlist list{dim, {}, {}};
    std::vector<float> middles(static_cast<std::size_t>(5 * dim));
    for (float& value : middles)
        value = 4.0F * normal(generator);
    for (std::int64_t i = 0; i < size; ++i) {
        const auto middle = static_cast<std::int64_t>(generator() % 5) * dim;
        for (std::int64_t k = 0; k < dim; ++k) {
            list.features.push_back(middles[static_cast<std::size_t>(middle + k)] +
                                    normal(generator));
        }
        list.scores.push_back(static_cast<float>(generator() % 1000 + 1) / 1001.0F);
    }
    return list;
}

/// Small integers: distances and scores are exact and full of ties, and rows are repeated.
inline WholeShortlist grid(std::int64_t size, std::int64_t dim, int num_values, unsigned seed) {
    std::mt19937 generator(seed);
    WholeShortlist list{dim, {}, {}};
    for (std::int64_t i = 0; i < size; ++i) {
        for (std::int64_t k = 0; k < dim; ++k)
            list.features.push_back(static_cast<float>(generator() % num_values));
        list.scores.push_back(static_cast<float>(generator() % 3 + 1));
    }
    return list;
}

/// Which rank holds a position: shares that are even, interleaved, or empty but for one, which is
/// then what a single rank would do.
enum class Split { contiguous, interleaved, last_rank };
inline constexpr Split all_splits[] = {Split::contiguous, Split::interleaved, Split::last_rank};

inline int owner(Split split, std::int64_t position, std::int64_t size, int num_ranks) {
    switch (split) {
        case Split::contiguous:
            return static_cast<int>(position * num_ranks / size);
        case Split::interleaved:
            return static_cast<int>((position * 7919 / 3) % num_ranks);
        case Split::last_rank:
            return num_ranks - 1;
    }
    return 0;
}

/// This rank's part of a whole shortlist.
struct Share {
    std::int64_t dim = 1;
    std::vector<std::int64_t> positions;
    std::vector<RowId> rows;
    std::vector<float> features;
    std::vector<float> scores;

    kernels::MatrixView view() const {
        return {features.data(), static_cast<std::int64_t>(rows.size()), dim};
    }
    /// The share's part of some values of the whole shortlist, `each` a row.
    template <typename T>
    std::vector<T> part_of(const std::vector<T>& whole, std::int64_t each = 1) const {
        std::vector<T> part;
        for (const std::int64_t position : positions) {
            part.insert(part.end(), whole.begin() + position * each,
                        whole.begin() + (position + 1) * each);
        }
        return part;
    }
};

inline Share share_of(const WholeShortlist& list, Split split) {
    Share share;
    share.dim = list.dim;
    for (std::int64_t i = 0; i < list.size(); ++i) {
        if (owner(split, i, list.size(), world().size()) != world().rank()) continue;
        share.positions.push_back(i);
        share.rows.push_back(list.row(i));
    }
    share.features = share.part_of(list.features, list.dim);
    share.scores = share.part_of(list.scores);
    return share;
}

}  // namespace sluice::test
