#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "kernels/filtering_scorer.hpp"
#include "kernels/score_rows.hpp"
#include "pool/pool.hpp"
#include "pool/row_reader.hpp"
#include "select/feature_score.hpp"
#include "select/plan.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sluice::select {

/// What computes a source's score from the values of a row; null for sources that are not such
/// scores.
std::unique_ptr<kernels::Scorer> make_scorer(const Plan& plan, const ScoreSource& source);
using MakeScorer = std::unique_ptr<kernels::Scorer> (*)(const Plan&, const ScoreSource&);

/// What stage 1 computes of each row: reads every dataset of a block once, computes the quantities
/// of the plan's score, combines them, and makes keys of them (per cost, with noise). Immutable, so
/// any number of threads may call it.
class RowScorer {
  public:
    /// A thread's own memory.
    struct Buffers {
        std::vector<std::vector<float>> values;          ///< of each dataset read
        std::vector<std::vector<std::uint16_t>> halves;  ///< in their place where `keeps_halves`
        std::vector<kernels::ScoreBlock> blocks;         ///< views of them
        std::vector<pool::RowReader::Scratch> readers;
        std::vector<std::vector<float>> sources;  ///< [rows] of each quantity
        std::vector<float> scores;                ///< [rows]
        std::vector<float> keys;                  ///< [rows], unless they are the scores
        std::vector<char> is_wanted;              ///< [rows], unless there are no conditions
    };

    /// `prepared[s]` belongs to plan.sources[s]; empty if no score needs preparation.
    RowScorer(const pool::Pool& pool, const Plan& plan,
              std::vector<std::shared_ptr<const FeatureScore>> prepared = {},
              MakeScorer make = make_scorer);

    /// Stored bytes of a row that are read; 0 = nothing is.
    std::int64_t row_bytes() const;
    void prefetch(RowRange rows) const;
    void read(RowRange rows, Buffers& buffers) const;

    /// As read(), of any rows, ascending. They are scored as rows 0 and on: not for scores that are
    /// functions of the row's number.
    void gather(std::span<const RowId> rows, Buffers& buffers) const;

    /// Scores, and keys if they are others, of the rows that were read; NaN for rows that are bad.
    void score(RowRange rows, Buffers& buffers) const;

    /// Whether score_passing may take the place of score: the plan ranks by one score, which a
    /// scorer can filter where it computes it. What looks at every score on this machine stands
    /// against it: combined scores, keys that are others, conditions.
    bool can_filter() const { return filtering_ != nullptr; }

    /// Scores the rows that were read; appends to `passed`, ascending, those that pass the filter
    /// and those that are bad, and leaves the scores of these.
    void score_passing(RowRange rows, const kernels::RowFilter& filter, Buffers& buffers,
                       std::vector<Candidate>& passed) const;

    /// What rows are ranked by.
    std::span<const float> keys(const Buffers& buffers) const {
        return has_keys_ ? buffers.keys : buffers.scores;
    }
    bool has_keys() const { return has_keys_; }

    /// Whether the row at `index` of the block meets the plan's conditions.
    static bool is_wanted(const Buffers& buffers, std::size_t index) {
        return buffers.is_wanted.empty() || buffers.is_wanted[index] != 0;
    }

    /// The rows' features if they were read, else the rows alone.
    kernels::ScoreBlock features(RowRange rows, const Buffers& buffers) const;

    /// Where and why a row's key is NaN.
    std::string what_is_wrong(const Buffers& buffers, RowId row) const;

    /// Memory of one thread's buffers for blocks of that many rows.
    static std::int64_t buffer_bytes(const pool::Pool& pool, const Plan& plan,
                                     std::int64_t block_rows);

  private:
    struct Read {
        const pool::Dataset* dataset;
        kernels::ScoreInput input;
        pool::RowReader reader;
        bool keeps_halves;
    };
    struct Source {
        std::size_t read;  // index into reads_; reads_.size() = none
        std::unique_ptr<kernels::Scorer> scorer;
        std::shared_ptr<const FeatureScore> feature_score;
    };

    void make_room(RowRange rows, Buffers& buffers) const;
    bool may_keep_halves(const Read& read) const;
    std::size_t read_of(const std::string& role) const;
    void compute(const Source& source, RowRange rows, const Buffers& buffers,
                 std::span<float> out) const;
    void test_conditions(RowRange rows, Buffers& buffers) const;
    void divide_by_cost(RowRange rows, Buffers& buffers) const;
    std::string wrong_source(std::size_t source, const Buffers& buffers, RowId row) const;
    std::string wrong_power(const Buffers& buffers, RowId row) const;
    std::string wrong_key(const Buffers& buffers, RowId row) const;

    const Plan& plan_;
    std::vector<Read> reads_;
    std::vector<Source> sources_;
    bool has_keys_;
    const kernels::FilteringScorer* filtering_ = nullptr;  // of sources_, or null
};

/// Prepares the feature scores of the plan, one collective step after the other. \collective
std::vector<std::shared_ptr<const FeatureScore>> prepare_scores(const pool::Pool& pool,
                                                                const Plan& plan,
                                                                const TakenRows& taken,
                                                                comm::Communicator& world);

}  // namespace sluice::select
