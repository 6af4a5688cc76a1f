#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "pool/pool.hpp"
#include "pool/row_reader.hpp"
#include "select/feature_rows.hpp"
#include "select/plan.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// Passes over rows that are copies, or nearly so, of a row that came before: a row stays unless
/// one that stays lies within a distance of it, in the plan's metric. Which row stands for its
/// copies is a matter of the order alone, for any number of ranks. What stays is dealt out over the
/// ranks' memories.
class NearCopies {
  public:
    /// Distances by `features` [N,D], which must outlive it, as canonical float32; `within` >= 0,
    /// and 0 means equal rows.
    NearCopies(const pool::Dataset& features, const Plan& plan, float within,
               comm::Communicator& world);

    /// Rows that stay whatever is near them. \collective
    void keep(std::span<const RowId> rows);

    /// Which of the rows stay (1) or are passed over (0), one after the other in this order; those
    /// that stay are kept. Bad rows are refused or, under BadRows::skip, passed over and counted.
    /// \collective
    std::vector<char> admit(std::span<const RowId> rows);

    std::int64_t num_skipped() const { return num_skipped_; }  ///< bad rows, of all ranks
    std::int64_t rows_read() const { return rows_read_; }      ///< by this rank

    /// Bytes on a rank when so many rows of D features stay.
    static std::int64_t memory(std::int64_t rows, std::int64_t dim, int num_ranks);

  private:
    FeatureRows read_block(std::span<const RowId> rows);
    void store(const float* row);
    std::vector<char> admit_block(std::span<const RowId> rows);
    std::vector<char> are_near_kept(const FeatureRows& block);
    bool is_near(float squared) const;

    const pool::Dataset& features_;
    const Plan& plan_;
    float within_;
    comm::Communicator& world_;
    pool::RowReader reader_;
    std::vector<float> kept_;  // this rank's share, [rows, D]
    std::int64_t num_kept_ = 0;
    std::int64_t num_skipped_ = 0;
    std::int64_t rows_read_ = 0;
};

}  // namespace sluice::select
