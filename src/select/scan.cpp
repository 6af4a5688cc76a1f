#include "select/scan.hpp"

#include "core/error.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/top_k.hpp"
#include "pool/row_reader.hpp"
#include "select/best_rows.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <thread>

namespace sluice::select {
namespace {

constexpr std::int64_t tile_lane_bytes = 16 * sizeof(float);

using Excluded = std::vector<RowId>;

bool contains(const Excluded& sorted, RowId row) {
    return std::binary_search(sorted.begin(), sorted.end(), row);
}

std::int64_t count_in(const Excluded& sorted, RowRange rows) {
    const auto begin = std::lower_bound(sorted.begin(), sorted.end(), rows.begin);
    return std::lower_bound(begin, sorted.end(), rows.end) - begin;
}

std::unique_ptr<kernels::Scorer> make_scorer(const Plan& plan) {
    if (plan.input == kernels::ScoreInput::features) {
        return kernels::make_committee_scorer(plan.backend, plan.network, *plan.score);
    }
    return kernels::make_scorer(plan.backend, *plan.score, plan.seed, plan.round);
}

// Stage 1 of one rank: workers draw blocks from a counter, read, score, and offer what passes the
// threshold to one collector.
class Scan {
  public:
    Scan(const pool::Pool& pool, const Plan& plan, RowRange rows, const TakenRows& taken)
        : plan_(plan),
          rows_(rows),
          excluded_(taken.all()),
          dataset_(plan.input_role.empty() ? nullptr : &pool.get(plan.input_role, "the score")),
          scorer_(make_scorer(plan)),
          num_blocks_((rows.size() + plan.block_rows - 1) / plan.block_rows),
          best_(pool, plan, static_cast<std::size_t>(std::min(plan.shortlist_size, rows.size())),
                taken.centers),
          threshold_(std::max(best_.threshold(), plan.trust.low)),
          compute_(plan.num_threads),
          progress_("scoring", rows.size(), "rows",
                    dataset_ == nullptr ? 0.0 : static_cast<double>(dataset_->row_bytes())) {
        if (dataset_ != nullptr) reader_.emplace(*dataset_);
    }

    ScanResult run() {
        {
            std::vector<std::jthread> workers;
            const auto num_workers = std::min<std::int64_t>(plan_.num_buffers, num_blocks_);
            for (std::int64_t i = 1; i < num_workers; ++i) {
                workers.emplace_back([this] { work(); });
            }
            work();
        }
        if (failure_) std::rethrow_exception(failure_);
        result_.best = best_.take_sorted();
        result_.distinct = best_.take_distinct();
        result_.num_candidates = rows_.size() - count_in(excluded_, rows_) - bad_candidates_;
        if (dataset_ != nullptr) result_.bytes_read = rows_.size() * dataset_->row_bytes();
        return std::move(result_);
    }

  private:
    struct Buffers {
        std::vector<float> values;
        std::vector<float> scores;
        std::vector<Candidate> passed;
        BestRows::Scratch best;
        pool::RowReader::Scratch scratch;
    };

    RowRange block(std::int64_t index) const {
        const RowId begin = rows_.begin + index * plan_.block_rows;
        return {begin, std::min(rows_.end, begin + plan_.block_rows)};
    }

    void work() noexcept {
        try {
            Buffers buffers;
            while (!failed_) {
                const std::int64_t index = next_block_++;
                if (index >= num_blocks_) return;
                require(!stop_requested(), ExitCode::try_again,
                        "stopped by a signal while scoring; nothing was published, run the same "
                        "command again");
                work_on(block(index), index, buffers);
            }
        } catch (...) {
            const std::lock_guard lock(mutex_);
            if (!failure_) failure_ = std::current_exception();
            failed_ = true;
        }
    }

    void work_on(RowRange rows, std::int64_t index, Buffers& buffers) {
        const kernels::ScoreBlock values = read(rows, index, buffers);
        buffers.scores.resize(static_cast<std::size_t>(rows.size()));
        compute_.acquire();
        try {
            scorer_->score(values, buffers.scores);
        } catch (...) {
            compute_.release();
            throw;
        }
        compute_.release();
        keep_best(values, buffers);
        progress_.advance(rows.size());
    }

    kernels::ScoreBlock read(RowRange rows, std::int64_t index, Buffers& buffers) {
        kernels::ScoreBlock values;
        values.rows = rows;
        values.input = plan_.input;
        if (dataset_ == nullptr) return values;
        const std::int64_t ahead = index + plan_.num_buffers;
        if (ahead < num_blocks_) reader_->prefetch(block(ahead));
        buffers.values.resize(static_cast<std::size_t>(rows.size() * dataset_->row_elements()));
        reader_->read(rows, buffers.values, buffers.scratch);
        values.values = buffers.values.data();
        values.members = members_of(*dataset_, plan_.input);
        values.classes = dataset_->row_elements() / values.members;
        return values;
    }

    static std::int64_t members_of(const pool::Dataset& dataset, kernels::ScoreInput input) {
        const bool single = input == kernels::ScoreInput::probabilities ||
                            input == kernels::ScoreInput::logits ||
                            input == kernels::ScoreInput::features;
        return single ? 1 : dataset.row_shape.front();
    }

    void keep_best(const kernels::ScoreBlock& values, Buffers& buffers) {
        constexpr std::size_t run = 128;
        buffers.passed.clear();
        const std::span<const float> scores = buffers.scores;
        for (std::size_t begin = 0; begin < scores.size(); begin += run) {
            const auto part = scores.subspan(begin, std::min(run, scores.size() - begin));
            const float threshold = threshold_.load(std::memory_order_relaxed);
            if (!any_may_enter(part, threshold)) continue;
            for (std::size_t i = 0; i < part.size(); ++i) {
                const RowId row = values.rows.begin + static_cast<RowId>(begin + i);
                if (std::isnan(part[i]))
                    note_bad(values, row);
                else if (part[i] >= threshold && !contains(excluded_, row))
                    buffers.passed.push_back({part[i], row});
            }
        }
        drop_beyond_trust(buffers.passed);
        if (buffers.passed.empty()) return;
        best_.look_at(values, buffers.passed, buffers.best);
        const std::lock_guard lock(mutex_);
        best_.add(buffers.passed, buffers.best);
        threshold_.store(std::max(best_.threshold(), plan_.trust.low), std::memory_order_relaxed);
    }

    void drop_beyond_trust(std::vector<Candidate>& passed) {
        const auto dropped = std::erase_if(passed, [&](const Candidate& candidate) {
            return candidate.score > plan_.trust.high;
        });
        if (dropped == 0) return;
        const std::lock_guard lock(mutex_);
        result_.num_beyond_trust += static_cast<std::int64_t>(dropped);
    }

    void note_bad(const kernels::ScoreBlock& values, RowId row) {
        const std::lock_guard lock(mutex_);
        ++result_.num_bad;
        if (!contains(excluded_, row)) ++bad_candidates_;
        if (result_.first_bad >= 0 && result_.first_bad < row) return;
        result_.first_bad = row;
        result_.first_bad_reason =
            pool::location_text(*dataset_, row) + ": " + kernels::describe_bad_row(values, row);
    }

    const Plan& plan_;
    RowRange rows_;
    Excluded excluded_;
    const pool::Dataset* dataset_;
    std::optional<pool::RowReader> reader_;
    std::unique_ptr<kernels::Scorer> scorer_;
    std::int64_t num_blocks_;
    std::atomic<std::int64_t> next_block_{0};
    std::atomic<bool> failed_{false};
    std::exception_ptr failure_;
    std::mutex mutex_;  // guards failure_, best_.add, result_, bad_candidates_
    BestRows best_;
    std::atomic<float> threshold_;
    std::counting_semaphore<> compute_;  // as many threads compute as the plan says, the rest read
    Progress progress_;
    ScanResult result_;
    std::int64_t bad_candidates_ = 0;
};

}  // namespace

ScanResult scan_rows(const pool::Pool& pool, const Plan& plan, RowRange rows,
                     const TakenRows& taken) {
    return Scan(pool, plan, rows, taken).run();
}

std::int64_t scan_memory(const pool::Pool& pool, const Plan& plan, int num_ranks) {
    const std::int64_t rank_rows = (pool.num_rows + num_ranks - 1) / num_ranks;
    const std::int64_t block_rows = std::min(plan.block_rows, rank_rows);
    const std::int64_t kept = std::min(plan.shortlist_size, rank_rows);
    const std::int64_t bytes = BestRows::memory(pool, plan, kept, rank_rows);
    std::int64_t per_buffer = block_rows * static_cast<std::int64_t>(sizeof(float));
    if (!plan.input_role.empty()) {
        const pool::Dataset& dataset = pool.get(plan.input_role, "the score");
        per_buffer +=
            block_rows * dataset.row_elements() * static_cast<std::int64_t>(sizeof(float));
        per_buffer += pool::RowReader(dataset).scratch_bytes(block_rows);
        // The kernel turns a row of lanes (16 pool rows) and its sums over in a tile.
        per_buffer += (dataset.row_elements() + 2 * dataset.row_shape.front()) * tile_lane_bytes;
    }
    return bytes + plan.num_buffers * per_buffer;
}

}  // namespace sluice::select
