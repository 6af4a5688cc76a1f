#pragma once

#include "core/top_k.hpp"
#include "kernels/score_rows.hpp"
#include "pool/pool.hpp"
#include "pool/row_reader.hpp"
#include "select/distinct.hpp"
#include "select/plan.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sluice::select {

/// The best rows of a scan so far: all of them, or those of different features.
class BestRows {
  public:
    /// A thread's own memory.
    struct Scratch {
        std::vector<RowId> rows;
        std::vector<float> features;
        std::vector<RowDigest> digests;
        pool::RowReader::Scratch reader;
    };

    /// `capacity` rows at most. Under Copies::drop it reads the features of the rows `centers`.
    BestRows(const pool::Pool& pool, const Plan& plan, std::size_t capacity,
             std::span<const RowId> centers);

    /// What the rows of candidates of one block (ascending) hold, for add(); reads features unless
    /// they are the block's values. Threads may call it at once. Nothing to do when copies are
    /// kept.
    void look_at(const kernels::ScoreBlock& block, std::span<const Candidate> passed,
                 Scratch& scratch) const;

    /// Takes what look_at has looked at. One thread at a time.
    void add(std::span<const Candidate> passed, const Scratch& scratch);

    /// Candidates that are not better need not be offered.
    const Candidate& threshold() const;

    /// Whether candidates with features alike count once.
    bool drops_copies() const { return features_ != nullptr; }

    std::vector<Candidate> take_sorted() { return all_.take_sorted(); }
    std::vector<DigestedCandidate> take_distinct() { return distinct_.take_sorted(); }

    /// Bytes it needs for `capacity` of `rows` rows, all threads' scratch included.
    static std::int64_t memory(const pool::Pool& pool, const Plan& plan, std::int64_t capacity,
                               std::int64_t rows);

  private:
    void read_centers(std::span<const RowId> centers);

    const pool::Dataset* features_ = nullptr;  // null when copies are kept
    std::optional<pool::RowReader> reader_;
    std::vector<RowDigest> of_centers_;  // ascending
    TopK all_;
    DistinctTopK distinct_;
};

}  // namespace sluice::select
