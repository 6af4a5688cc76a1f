#pragma once

#include "kernels/cuda/row_stream.hpp"
#include "kernels/filtering_scorer.hpp"
#include "kernels/top_rows.hpp"
#include "kernels/top_rows_cuda.hpp"

#include <cstdint>
#include <vector>

namespace sluice::kernels::cuda {

/// Rows scored by `Work` whose scores stay on the device, but for those that pass a filter. For a
/// RowStream without results.
template <class Work>
class FilterWork {
  public:
    /// `first` is the row of the stream's first one. Appends to `passed`.
    FilterWork(const Work& work, const RowFilter& filter, RowId first,
               std::vector<Candidate>& passed)
        : work_(work), filter_(filter), first_(first), passed_(passed) {}

    std::int64_t floats_of_row() const { return work_.floats_of_row() + floats_of_passed; }
    bool try_reserve(RowSlot& slot, std::int64_t rows) const {
        return work_.try_reserve(slot, rows) && slot.passed.try_reserve(rows);
    }
    void queue(RowSlot& slot, std::int64_t rows) const {
        work_.queue(slot, rows);
        queue_passing(slot.results.data(), rows, limit_of(filter_.threshold, first_of(slot)),
                      slot.passed, slot.stream);
    }
    void receive(RowSlot& slot) const {
        for (const ScoredPlace& scored : receive_passing(filter_.most, slot.passed, slot.stream))
            passed_.push_back({scored.score, first_of(slot) + scored.place});
    }

  private:
    static constexpr std::int64_t floats_of_passed = 2 * sizeof(ScoredPlace) / sizeof(float);

    RowId first_of(const RowSlot& slot) const { return first_ + slot.rows.begin; }

    const Work& work_;
    RowFilter filter_;
    RowId first_;
    std::vector<Candidate>& passed_;
};

}  // namespace sluice::kernels::cuda
