#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "pool/pool.hpp"
#include "pool/row_reader.hpp"

#include <cstdint>
#include <vector>

namespace sluice::select {

/// Which item each row of the pool belongs to: rows side by side with one number are an item.
/// Any number of threads may call it.
class GroupNumbers {
  public:
    /// A thread's own memory.
    struct Scratch {
        std::vector<RowId> rows;
        pool::RowReader::Scratch reader;
    };

    /// Keeps a reference to `groups` [N].
    explicit GroupNumbers(const pool::Dataset& groups) : groups_(groups), reader_(groups) {}

    /// The numbers of the rows. Throws Error(bad_data) for numbers beyond int64.
    void read(RowRange rows, std::vector<std::int64_t>& numbers, Scratch& scratch) const;

    /// The smallest row >= `row` that begins an item, or the pool's end.
    RowId border_from(RowId row) const;

    /// All rows of the item that holds `row`.
    RowRange item_of(RowId row) const;

    /// A share cut at borders of items: the shares of ranks that cover the pool do so again.
    RowRange whole_items(RowRange share) const {
        return {border_from(share.begin), border_from(share.end)};
    }

    /// Throws AgreedError(bad_data) naming the first row of an item whose number has come before:
    /// an item's rows must lie together. `share` as whole_items gives it. Reads the numbers once,
    /// and memory does not grow with the pool; where numbers do not ascend, once more for every
    /// 2^20 items of a rank. \collective
    void require_rows_together(RowRange share, comm::Communicator& world) const;

    /// Bytes that require_rows_together needs at most.
    static std::int64_t check_memory(std::int64_t rows_of_rank);

  private:
    template <typename Step>
    void for_each_item(RowRange share, Step step) const;

    const pool::Dataset& groups_;
    pool::RowReader reader_;
};

}  // namespace sluice::select
