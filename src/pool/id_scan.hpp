#pragma once

#include "core/error.hpp"
#include "pool/check_values.hpp"
#include "pool/row_reader.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sluice::pool {

/// A row and what stands for its id: an integer itself, or a hash of the text.
struct IdKey {
    std::uint64_t value = 0;
    RowId row = 0;

    friend bool operator<(const IdKey& left, const IdKey& right) {
        return left.value != right.value ? left.value < right.value : left.row < right.row;
    }
};

/// Rows that have no usable id.
struct IdTallies {
    Tally unreadable;  ///< damaged, or an integer beyond 2^63 - 1
    Tally negative;
    Tally empty;
};

/// Reads a range of ids block by block.
class IdScan {
  public:
    /// Rows read at once.
    static constexpr std::int64_t block_rows = std::int64_t{1} << 16;

    /// Keeps a reference to `ids`.
    IdScan(const Dataset& ids, RowRange mine) : ids_(ids), mine_(mine), reader_(ids) {}

    bool is_text() const { return ids_.type == ElementType::text; }

    /// Calls take(IdKey) for each row that has an id, in row order; books the others.
    template <typename Take>
    void each_key(IdTallies& tallies, Take take) {
        for (RowId begin = mine_.begin; begin < mine_.end; begin += block_rows) {
            const RowRange block = {begin, std::min(mine_.end, begin + block_rows)};
            keys_.clear();
            read_keys(block, tallies);
            for (const IdKey& key : keys_)
                take(key);
        }
    }

    /// The ids of any rows (ascending) as text.
    std::vector<std::string> texts(std::span<const RowId> rows);

  private:
    void read_keys(RowRange rows, IdTallies& tallies);
    void read_texts(std::span<const RowId> rows, IdTallies& tallies);
    void read_integers(std::span<const RowId> rows, IdTallies& tallies);

    const Dataset& ids_;
    RowRange mine_;
    RowReader reader_;
    RowReader::Scratch scratch_;
    std::vector<std::int64_t> values_;
    std::vector<IdKey> keys_;
};

}  // namespace sluice::pool
