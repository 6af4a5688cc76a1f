#pragma once

#include "core/types.hpp"
#include "pool/pool.hpp"
#include "select/item_scores.hpp"
#include "select/plan.hpp"
#include "select/row_classes.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace sluice::select {

/// A row, what a list ranks it by, and its score.
struct RankedRow {
    Candidate rank;
    float score = 0.0F;
};

/// The best rows, by their score or by chance, of all candidates or of one class, that come after a
/// given one.
struct ScanList {
    enum class Order { by_score, by_chance };

    Order order = Order::by_score;
    std::optional<std::int64_t> of_class = {};   ///< only its rows
    std::vector<std::int64_t> of_no_class = {};  ///< none of their rows; ascending
    std::size_t capacity = 0;
    Candidate after{std::numeric_limits<float>::infinity(), -1};  ///< only rows it is better than
    std::vector<RankedRow> kept = {};                             ///< in no order; see take()
    Candidate threshold{-std::numeric_limits<float>::infinity(), std::numeric_limits<RowId>::max()};
    std::int64_t num_rows = 0;  ///< candidates offered that come after `after`

    void offer(const RankedRow& row);
    /// The `capacity` best, best first.
    std::vector<RankedRow> take();
};

/// What a row is drawn by: the highest of numbers that are as good as never equal, a function of
/// seed, round and row.
float chance_of(std::uint64_t seed, std::uint32_t round, RowId row);

/// The lists that one scan fills, and how many candidates each class has.
class ScanLists {
  public:
    /// A thread's own memory.
    struct Scratch {
        std::vector<std::int64_t> codes;   // of the block
        std::vector<std::int64_t> passed;  // of the candidates
        std::vector<float> chances;        // of the candidates
        RowClasses::Scratch classes;
    };

    /// `classes` may be null if no list asks for one. With `capacity_of_each` > 0 a list is made
    /// for every class that there is, as far as the plan's memory goes.
    ScanLists(const Plan& plan, const RowClasses* classes, std::vector<ScanList> lists,
              std::size_t capacity_of_each = 0);

    /// What lists rank the candidates of one block (ascending) by. Threads may call it at once.
    void look_at(RowRange rows, std::span<const Candidate> passed, Scratch& scratch) const;

    /// Takes what look_at has looked at. One thread at a time.
    void add(std::span<const Candidate> passed, const Scratch& scratch);

    /// The classes of a block's rows into scratch.codes, if any list asks for classes. Threads may
    /// call it at once.
    void read_classes(RowRange rows, Scratch& scratch) const;

    /// Takes items: a candidate is drawn by its item's first row, whatever its best one is; those
    /// that are taken are counted alone. One thread at a time.
    void add_items(std::span<const EndedItem> items);

    std::vector<ScanList>& lists() { return lists_; }
    /// The lists of every class, by code.
    std::map<std::int64_t, ScanList>& of_each() { return of_each_; }
    /// This rank's candidates by class, unless there are no classes.
    const std::map<std::int64_t, std::int64_t>& census() const { return census_; }
    /// The same of items that are taken.
    const std::map<std::int64_t, std::int64_t>& taken_census() const { return taken_census_; }

    /// Bytes of a list at most.
    static std::int64_t memory(std::int64_t capacity);

  private:
    void offer(const RankedRow& row, float chance, std::int64_t code);
    void count(std::int64_t code);

    const Plan& plan_;
    const RowClasses* classes_;
    std::vector<ScanList> lists_;
    std::size_t capacity_of_each_;
    std::map<std::int64_t, ScanList> of_each_;
    std::map<std::int64_t, std::int64_t> census_;
    std::map<std::int64_t, std::int64_t> taken_census_;
    bool draws_;
};

}  // namespace sluice::select
