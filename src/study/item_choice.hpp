#pragma once

#include "core/types.hpp"
#include "select/item_rule.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::study {

/// Rows in memory that are instances of items, by index.
struct ItemRows {
    std::span<const std::int64_t> numbers;  ///< [n] alike for the rows of one item
    std::span<const float> scores;          ///< [n]
    std::span<const std::uint8_t> open;     ///< [n] not 0: may be asked about
    std::span<const RowId> labeled;         ///< indices, ascending
};

/// How an item's score is made.
enum class ItemScore {
    by_rule,   ///< of all its open rows
    of_first,  ///< of its first open row: by chance, all items have the same chances
};

/// A candidate for each item with an open row and no labeled one: its best open row (ties: the
/// lower index) with the item's score, as `sluice select --groups` makes it; ascending by row.
std::vector<Candidate> item_candidates(const ItemRows& rows, const select::ItemRule& rule,
                                       ItemScore how);

/// The open rows of items, item by item, ascending: of those that `best` are rows of, in this
/// order, each that fits into `most_rows` together with those before it.
std::vector<std::int64_t> rows_of_items(const ItemRows& rows, std::span<const std::int64_t> best,
                                        std::int64_t most_rows);

}  // namespace sluice::study
