#pragma once

#include "core/types.hpp"
#include "kernels/device_rows.hpp"
#include "kernels/nearest_center.hpp"
#include "select/center_map.hpp"

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace sluice::select {

/// Loses against every row: distances are never negative.
inline constexpr Candidate no_candidate{-1.0F, INT64_MAX};

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

    /// What is known of a row.
    struct State {
        float distance = 0.0F;      ///< to the nearest centre
        std::int32_t center = -1;   ///< its number; -1: unknown
        std::int64_t num_seen = 0;  ///< leading centres that the distance accounts for
    };

    /// Room for `max_centers` centres is taken now. Up to `max_mapped` centres, rows are spared
    /// those centres that cannot come near them; 0 for row sets too small to gain by it.
    StaleRows(const Source& source, std::int64_t max_centers, std::int64_t max_mapped);

    std::int64_t size() const { return static_cast<std::int64_t>(source_.rows.size()); }
    std::int64_t num_centers() const { return num_centers_; }
    std::int64_t rows_refreshed() const { return rows_refreshed_; }
    const Source& source() const { return source_; }

    RowId row(std::int64_t local) const { return source_.rows[static_cast<std::size_t>(local)]; }
    float distance(std::int64_t local) const {
        return source_.nearest[static_cast<std::size_t>(local)];
    }
    Candidate candidate(std::int64_t local) const { return {distance(local), row(local)}; }
    State state(std::int64_t local) const {
        const auto i = static_cast<std::size_t>(local);
        return {source_.nearest[i], center_[i], seen_[i]};
    }
    bool is_out(std::int64_t local) const { return out_[static_cast<std::size_t>(local)] != 0; }

    /// The local index of a row; that of the next higher one if it is not among these.
    std::int64_t find(RowId row) const;

    /// Appends a centre, features [D]; makes every row stale but those at distance 0.
    void add_center(const float* features);

    /// Takes a row out of all that follows.
    void take_out(std::int64_t local) { out_[static_cast<std::size_t>(local)] = 1; }

    /// Books what has been found out about a row elsewhere.
    void update(std::int64_t local, const State& state);

    /// The best `count` up-to-date rows that are better than `floor`; local indices, any order.
    std::vector<Candidate> best_fresh(std::int64_t count, const Candidate& floor) const;

    /// The best `count` rows by stale distance that are better than `floor` and not up to date.
    std::vector<Candidate> best_stale(std::int64_t count, const Candidate& floor) const;

    /// The best row outside `excluded` (local indices, ascending) by its distance, stale or not;
    /// no_candidate without one.
    Candidate best_outside(std::span<const std::int64_t> excluded) const;

    /// Brings these rows up to date.
    void refresh(std::span<const std::int64_t> locals);

  private:
    // The centres a tile of rows has to look at, and room to find them.
    struct NearCenters {
        std::vector<std::uint8_t> marks;
        std::vector<std::int32_t> chosen;
    };

    bool is_fresh(std::size_t local) const {
        return seen_[local] == num_centers_ || source_.nearest[local] == 0.0F;
    }
    template <typename Filter>
    std::vector<Candidate> best_of(std::int64_t count, const Candidate& floor,
                                   const Filter& filter) const;
    kernels::MatrixView centers_from(std::int64_t first) const;
    void refresh_by_all(std::span<const std::int64_t> locals);
    bool refresh_by_near(std::span<const std::int64_t> locals);
    std::vector<std::int64_t> sorted_by_center(std::span<const std::int64_t> locals) const;
    std::int64_t choose_centers(std::span<const std::int64_t> tile, NearCenters& near) const;

    Source source_;
    kernels::ResidentRows resident_;
    std::int64_t num_centers_ = 0;
    std::int64_t rows_refreshed_ = 0;
    std::vector<float> centers_;        // [max_centers, D]
    std::vector<std::int32_t> seen_;    // [rows]
    std::vector<std::int32_t> center_;  // [rows]
    std::vector<std::uint8_t> out_;     // [rows] taken out
    CenterMap map_;
};

}  // namespace sluice::select
