#pragma once

#include "pool/part_reader.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace sluice::pool {

/// Ranges of one file that one child process is to bring: many small ones cost one fork.
class LibraryBatch {
  public:
    /// At most `max_rows` rows at a time.
    explicit LibraryBatch(RowId max_rows) : max_rows_(max_rows) {}

    /// Adds local rows of a part; calls sink(global first row, number of rows, stored bytes) for
    /// those of an earlier part or a full batch.
    template <typename Sink>
    void add(const PartReader& part, RowRange local, Sink& sink) {
        while (!local.empty()) {
            if (&part != part_ || num_rows_ >= max_rows_) flush(sink);
            part_ = &part;
            const RowId count = std::min(local.size(), max_rows_ - num_rows_);
            ranges_.push_back({local.begin, local.begin + count});
            num_rows_ += count;
            local.begin += count;
        }
    }

    /// Reads what was added.
    template <typename Sink>
    void flush(Sink& sink) {
        if (ranges_.empty()) return;
        const std::string values = part_->fetch_by_library(ranges_);
        const std::size_t bytes_a_row = values.size() / static_cast<std::size_t>(num_rows_);
        const auto* bytes = reinterpret_cast<const std::byte*>(values.data());
        for (const RowRange& range : ranges_) {
            sink(range.begin + part_->part().rows.begin, range.size(), bytes);
            bytes += static_cast<std::size_t>(range.size()) * bytes_a_row;
        }
        ranges_.clear();
        num_rows_ = 0;
    }

  private:
    RowId max_rows_;
    const PartReader* part_ = nullptr;
    std::vector<RowRange> ranges_;
    RowId num_rows_ = 0;
};

}  // namespace sluice::pool
