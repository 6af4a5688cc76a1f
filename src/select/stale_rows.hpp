#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "kernels/nearest_center.hpp"

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace sluice::select {

/// Rows whose distances to the nearest centre lag behind the list of centres. Centres only bring
/// distances down, so a stale distance is an upper bound of the true one.
/// "Local" indices count the rows given; a Candidate with a local index in place of the row is in
/// the same order as with the row, since rows ascend.
class StaleRows {
  public:
    struct Source {
        std::span<const RowId> rows;   ///< ascending
        kernels::MatrixView features;  ///< [rows, D]
        std::span<float> nearest;      ///< [rows], exact for the centres before the first one added
        kernels::Backend backend = kernels::Backend::cpu;
        int num_threads = 1;
    };

    /// Room for `max_centers` centres is taken now.
    StaleRows(const Source& source, std::int64_t max_centers);

    std::int64_t size() const { return static_cast<std::int64_t>(source_.rows.size()); }
    std::int64_t num_centers() const { return num_centers_; }
    std::int64_t rows_refreshed() const { return rows_refreshed_; }
    const Source& source() const { return source_; }

    /// Appends a centre, features [D]; makes every row stale but those at distance 0.
    void add_center(const float* features);

    /// Takes a row out of all that follows. It must not have been taken out before.
    void take_out(std::int64_t local) { out_[static_cast<std::size_t>(local)] = 1; }

    bool is_out(std::int64_t local) const { return out_[static_cast<std::size_t>(local)] != 0; }

    /// Books that a row's distance has been computed elsewhere, for the first `num_seen` centres.
    void update(std::int64_t local, float nearest, std::int64_t num_seen);

    std::int64_t num_seen(std::int64_t local) const {
        return seen_[static_cast<std::size_t>(local)];
    }
    float nearest(std::int64_t local) const {
        return source_.nearest[static_cast<std::size_t>(local)];
    }
    RowId row(std::int64_t local) const { return source_.rows[static_cast<std::size_t>(local)]; }

    /// The local index of a row that is among these.
    std::int64_t find(RowId row) const;

    /// The best `count` up-to-date rows that are better than `floor`, as local indices.
    std::vector<std::int64_t> best_fresh(std::int64_t count, const Candidate& floor) const;

    /// The best `count` rows by stale distance that are better than `floor` and not up to date.
    std::vector<std::int64_t> best_stale(std::int64_t count, const Candidate& floor) const;

    /// The best row outside `excluded` (local indices, ascending) by its distance, stale or not;
    /// no_candidate without one.
    Candidate best_outside(std::span<const std::int64_t> excluded) const;

    /// Brings these rows up to date.
    void refresh(std::span<const std::int64_t> locals);

  private:
    bool is_fresh(std::size_t local) const {
        return seen_[local] == num_centers_ || source_.nearest[local] == 0.0F;
    }
    template <typename Filter>
    std::vector<std::int64_t> best_of(std::int64_t count, const Candidate& floor,
                                      const Filter& filter) const;

    Source source_;
    std::int64_t num_centers_ = 0;
    std::int64_t rows_refreshed_ = 0;
    std::vector<float> centers_;      // [max_centers, D]
    std::vector<std::int32_t> seen_;  // [rows] leading centres that `nearest` accounts for
    std::vector<std::uint8_t> out_;   // [rows] taken out
};

/// Loses against every row: distances are never negative.
inline constexpr Candidate no_candidate{-1.0F, INT64_MAX};

/// The best `count` rows of all ranks that are better than `floor`, brought up to date; returns
/// this rank's (local indices, ascending). Rows are refreshed in falling order of their stale
/// distances, until none that is left can be among the best. `floor` is the same on all ranks.
/// \collective
std::vector<std::int64_t> refresh_best(StaleRows& rows, std::int64_t count, const Candidate& floor,
                                       comm::Communicator& world);

}  // namespace sluice::select
