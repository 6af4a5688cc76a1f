#include "select/scan.hpp"

#include "core/error.hpp"
#include "core/partition.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/task_threads.hpp"
#include "core/top_k.hpp"
#include "select/best_rows.hpp"
#include "select/group_numbers.hpp"
#include "select/item_scores.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <semaphore>

namespace sluice::select {
namespace {

using Excluded = std::vector<RowId>;

// The key of a row that the trust levels rule out; scores and keys of others are finite.
constexpr float distrusted = -std::numeric_limits<float>::infinity();

bool contains(const Excluded& sorted, RowId row) {
    return std::binary_search(sorted.begin(), sorted.end(), row);
}

std::int64_t count_in(const Excluded& sorted, RowRange rows) {
    const auto begin = std::lower_bound(sorted.begin(), sorted.end(), rows.begin);
    return std::lower_bound(begin, sorted.end(), rows.end) - begin;
}

// Stage 1 of one rank: workers draw blocks from a counter, read, score, and offer what passes the
// threshold to one collector.
class Scan {
  public:
    Scan(const pool::Pool& pool, const Plan& plan, const RowScorer& scorer, RowRange rows,
         const TakenRows& taken, ScanLists* lists)
        : plan_(plan),
          scorer_(scorer),
          lists_(lists),
          rows_(rows),
          excluded_(taken.all()),
          centers_(taken.centers),
          threads_(num_blocks(rows, plan.block_rows)),
          best_(pool, plan,
                static_cast<std::size_t>(lists == nullptr ? std::min(plan.scan_size, rows.size())
                                                          : 0),
                taken.centers),
          threshold_(threshold().score),
          is_filtered_(scorer.can_filter() && lists == nullptr && !plan.items.has_items()),
          compute_(plan.num_threads),
          progress_("scoring", rows.size(), "rows", static_cast<double>(scorer.row_bytes())) {
        if (!plan.items.has_items()) return;
        groups_.emplace(pool.get("groups", "--groups"));
        items_.emplace(plan_, excluded_);
    }

    ScanResult run() {
        threads_.run(plan_.num_buffers, [this] { work(); });
        if (items_) end_items();
        result_.best = best_.take_sorted();
        result_.distinct = best_.take_distinct();
        if (!items_)
            result_.num_candidates =
                rows_.size() - count_in(excluded_, rows_) - bad_candidates_ - result_.num_unwanted;
        result_.bytes_read = rows_.size() * scorer_.row_bytes();
        return std::move(result_);
    }

  private:
    struct Buffers {
        RowScorer::Buffers rows;
        std::vector<Candidate> told;  // what came back, if not all scores do
        std::vector<Candidate> passed;
        BestRows::Scratch best;
        std::vector<std::int64_t> numbers;  // of groups
        GroupNumbers::Scratch groups;
        std::vector<EndedItem> ended;
        ScanLists::Scratch lists;
    };

    RowRange block(std::int64_t index) const {
        return block_of_rows(rows_, plan_.block_rows, index);
    }

    void work() {
        try {
            Buffers buffers;
            while (const auto index = threads_.next()) {
                require(!stop_requested(), ExitCode::try_again,
                        stop_text() +
                            " while scoring; nothing was published, run the same "
                            "command again");
                work_on(block(*index), *index, buffers);
            }
        } catch (...) {
            const std::lock_guard lock(mutex_);
            threads_.fail(std::current_exception());
            turn_.notify_all();
        }
    }

    void work_on(RowRange rows, std::int64_t index, Buffers& buffers) {
        const std::int64_t ahead = index + plan_.num_buffers;
        if (ahead < threads_.num_tasks()) scorer_.prefetch(block(ahead));
        scorer_.read(rows, buffers.rows);
        if (groups_) groups_->read(rows, buffers.numbers, buffers.groups);
        compute_.acquire();
        try {
            score(rows, buffers);
        } catch (...) {
            compute_.release();
            throw;
        }
        compute_.release();
        if (!plan_.conditions.empty()) count_unwanted(rows, buffers);
        if (items_)
            keep_best_items(rows, index, buffers);
        else
            keep_best(rows, buffers);
        progress_.advance(rows.size());
    }

    // Scores every row, unless a GPU can keep what the threshold rules out. It knows nothing of
    // excluded rows and trust levels: what it lets through is looked at as other rows are.
    void score(RowRange rows, Buffers& buffers) {
        if (!is_filtered_) return scorer_.score(rows, buffers.rows);
        buffers.told.clear();
        scorer_.score_passing(rows, {read_threshold(), most_of(rows)}, buffers.rows, buffers.told);
    }

    // How many rows of a block can matter: more, if some may be passed over or are to be counted.
    std::int64_t most_of(RowRange rows) const {
        if (best_.drops_copies() || plan_.trust != TrustLevels()) return rows.size();
        return plan_.scan_size + count_in(excluded_, rows);
    }

    void keep_best(RowRange rows, Buffers& buffers) {
        buffers.passed.clear();
        if (is_filtered_) {
            for (const Candidate& told : buffers.told)
                look_at(rows.begin, static_cast<std::size_t>(told.row - rows.begin), told.score,
                        buffers);
        } else {
            visit_keys(rows, buffers);
        }
        if (!scorer_.has_keys()) drop_beyond_trust(buffers.passed);
        if (buffers.passed.empty()) return;
        if (lists_ != nullptr) return fill_lists(rows, buffers);
        best_.look_at(scorer_.features(rows, buffers.rows), buffers.passed, buffers.best);
        const std::lock_guard lock(mutex_);
        best_.add(buffers.passed, buffers.best);
        threshold_.store(threshold().score, std::memory_order_relaxed);
    }

    void visit_keys(RowRange rows, Buffers& buffers) {
        if (scorer_.has_keys() && plan_.trust != TrustLevels()) drop_distrusted(rows, buffers);
        const std::span<const float> keys = scorer_.keys(buffers.rows);
        visit_entrants(
            keys, [this] { return threshold_.load(std::memory_order_relaxed); },
            [&](std::size_t place) { look_at(rows.begin, place, keys[place], buffers); });
    }

    void look_at(RowId first, std::size_t place, float key, Buffers& buffers) {
        const RowId row = first + static_cast<RowId>(place);
        if (std::isnan(key))
            note_bad(buffers, row);
        else if (key > distrusted && RowScorer::is_wanted(buffers.rows, place) &&
                 !contains(excluded_, row))
            buffers.passed.push_back({key, row});
    }

    void fill_lists(RowRange rows, Buffers& buffers) {
        lists_->look_at(rows, buffers.passed, buffers.lists);
        const std::lock_guard lock(mutex_);
        lists_->add(buffers.passed, buffers.lists);
    }

    // Blocks take turns in row order, for an item may go on in the next one.
    void keep_best_items(RowRange rows, std::int64_t index, Buffers& buffers) {
        std::vector<float>& scores = buffers.rows.scores;
        for (std::size_t i = 0; i < scores.size(); ++i) {
            if (std::isnan(scores[i])) note_bad(buffers, rows.begin + static_cast<RowId>(i));
            if (!RowScorer::is_wanted(buffers.rows, i)) scores[i] = std::nanf("");
        }
        if (lists_ != nullptr) lists_->read_classes(rows, buffers.lists);
        std::unique_lock lock(mutex_);
        turn_.wait(lock, [&] { return next_turn_ == index || threads_.failed(); });
        if (threads_.failed()) return;
        buffers.ended.clear();
        items_->add(rows, scores, buffers.numbers, buffers.lists.codes, buffers.ended);
        take_ended(buffers.ended);
        ++next_turn_;
        turn_.notify_all();
    }

    // Of items that are taken the lists count those with a labeled or issued row.
    void take_ended(std::vector<EndedItem>& ended) {
        std::erase_if(ended, [&](const EndedItem& item) {
            return item.is_taken && (lists_ == nullptr || count_in(centers_, item.rows) == 0);
        });
        if (lists_ != nullptr) return lists_->add_items(ended);
        std::vector<Candidate> passed;
        for (const EndedItem& item : ended)
            passed.push_back(item.candidate);
        best_.add(passed, {});
    }

    void end_items() {
        std::vector<EndedItem> ended;
        items_->finish(ended);
        take_ended(ended);
        result_.num_candidates = items_->num_candidates();
        result_.num_beyond_trust = items_->num_beyond_trust();
    }

    // Trust levels are about scores: where keys are others, no threshold of keys tells.
    Candidate threshold() const {
        constexpr RowId last = std::numeric_limits<RowId>::max();
        const Candidate of_best =
            lists_ == nullptr ? best_.threshold() : Candidate{distrusted, last};
        const Candidate trusted{plan_.trust.low, last};
        return scorer_.has_keys() || better(of_best, trusted) ? of_best : trusted;
    }

    Candidate read_threshold() {
        const std::lock_guard lock(mutex_);
        return threshold();
    }

    void count_unwanted(RowRange rows, const Buffers& buffers) {
        const std::span<const float> keys = scorer_.keys(buffers.rows);
        std::int64_t count = 0;
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (RowScorer::is_wanted(buffers.rows, i) || std::isnan(keys[i])) continue;
            if (!contains(excluded_, rows.begin + static_cast<RowId>(i))) ++count;
        }
        const std::lock_guard lock(mutex_);
        result_.num_unwanted += count;
    }

    void drop_distrusted(RowRange rows, Buffers& buffers) {
        std::int64_t num_beyond = 0;
        for (std::size_t i = 0; i < buffers.rows.keys.size(); ++i) {
            const float score = buffers.rows.scores[i];
            if (std::isnan(buffers.rows.keys[i])) continue;
            if (score <= plan_.trust.high && score >= plan_.trust.low) continue;
            buffers.rows.keys[i] = distrusted;
            const RowId row = rows.begin + static_cast<RowId>(i);
            const bool may_be_chosen =
                RowScorer::is_wanted(buffers.rows, i) && !contains(excluded_, row);
            if (score > plan_.trust.high && may_be_chosen) ++num_beyond;
        }
        const std::lock_guard lock(mutex_);
        result_.num_beyond_trust += num_beyond;
    }

    void drop_beyond_trust(std::vector<Candidate>& passed) {
        const auto dropped = std::erase_if(
            passed, [&](const Candidate& candidate) { return candidate.score > plan_.trust.high; });
        if (dropped == 0) return;
        const std::lock_guard lock(mutex_);
        result_.num_beyond_trust += static_cast<std::int64_t>(dropped);
    }

    void note_bad(const Buffers& buffers, RowId row) {
        const std::lock_guard lock(mutex_);
        ++result_.num_bad;
        if (!contains(excluded_, row)) ++bad_candidates_;
        if (result_.first_bad >= 0 && result_.first_bad < row) return;
        result_.first_bad = row;
        result_.first_bad_reason = scorer_.what_is_wrong(buffers.rows, row);
    }

    const Plan& plan_;
    const RowScorer& scorer_;
    ScanLists* lists_;  // filled in place of best_ unless null
    RowRange rows_;
    Excluded excluded_;
    const std::vector<RowId>& centers_;
    TaskThreads threads_;  // a task a block
    std::mutex mutex_;     // guards best_.add, result_, bad_candidates_, items_, next_turn_
    std::condition_variable turn_;
    std::int64_t next_turn_ = 0;  // the block whose items come next
    std::optional<GroupNumbers> groups_;
    std::optional<ItemScores> items_;
    BestRows best_;
    std::atomic<float> threshold_;
    bool is_filtered_;                   // only some scores of a block come back
    std::counting_semaphore<> compute_;  // as many threads compute as the plan says, the rest read
    Progress progress_;
    ScanResult result_;
    std::int64_t bad_candidates_ = 0;
};

}  // namespace

ScanResult scan_rows(const pool::Pool& pool, const Plan& plan, const RowScorer& scorer,
                     RowRange rows, const TakenRows& taken, ScanLists* lists) {
    return Scan(pool, plan, scorer, rows, taken, lists).run();
}

std::int64_t scan_memory(const pool::Pool& pool, const Plan& plan, int num_ranks) {
    const std::int64_t rank_rows = (pool.num_rows + num_ranks - 1) / num_ranks;
    const std::int64_t block_rows = std::min(plan.block_rows, rank_rows);
    const std::int64_t kept = std::min(plan.scan_size, rank_rows);
    std::int64_t bytes = BestRows::memory(pool, plan, kept, rank_rows);
    if (plan.items.has_items()) {
        const auto number_bytes = static_cast<std::int64_t>(sizeof(RowId) + sizeof(std::int64_t));
        bytes += plan.num_buffers * block_rows * number_bytes;
        bytes += GroupNumbers::check_memory(rank_rows);
    }
    return bytes + plan.num_buffers * RowScorer::buffer_bytes(pool, plan, block_rows);
}

}  // namespace sluice::select
