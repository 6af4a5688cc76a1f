#pragma once

#include "kernels/cuda/block_pipeline.hpp"
#include "kernels/cuda/device.hpp"
#include "kernels/half.hpp"
#include "kernels/top_rows_cuda.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice::kernels::cuda {

/// Memory for some rows on their way through the device, and the stream they take.
struct RowSlot {
    Stream stream;
    PinnedBuffer staged_values;
    PinnedBuffer staged_results;
    DeviceBuffer values;  ///< rows as they came, unless as halves
    DeviceArray<Half> halves;
    DeviceBuffer layers;   ///< what nets make of them
    DeviceBuffer outputs;  ///< what a committee says of them
    DeviceBuffer spoiled;  ///< a mark for each row
    DeviceBuffer tile;     ///< working memory of the score
    DeviceBuffer results;  ///< what goes back
    PassedRows passed;     ///< or, of them, what passes a filter
    RowRange rows;         ///< those on their way

    void release() {
        for (DeviceBuffer* buffer : {&values, &layers, &outputs, &spoiled, &tile, &results})
            *buffer = DeviceBuffer();
        halves = DeviceArray<Half>();
        passed.release();
    }
};
using RowSlots = std::array<RowSlot, 2>;

/// Rows in the caller's memory, and where what is computed of them goes.
struct RowFlow {
    const float* values = nullptr;   ///< [rows, row_floats]
    std::int64_t row_floats = 0;     ///< sent for each row
    float* results = nullptr;        ///< [rows, result_floats]; null: `Work` receives them
    std::int64_t result_floats = 1;  ///< computed for each row
    std::int64_t most_rows = 0;      ///< rows of a block at most
    const Half* halves = nullptr;    ///< in place of `values`, [rows, row_floats]
};

/// `Work` computes a block: try_reserve(slot, num_rows) makes room for its own needs, of about
/// floats_of_row() for each row, false without memory; queue(slot, num_rows) queues what turns
/// slot.values, or slot.halves, into slot.results; receive(slot), where it has that, takes what is
/// to come of them. The device only ever writes to the slots' own memory.
template <class Work>
class RowStream {
  public:
    RowStream(const RowFlow& flow, const Work& work, RowSlots& slots)
        : flow_(flow), work_(work), slots_(slots) {}

    /// Takes `num_rows` rows through the device, in smaller blocks where memory is short; throws
    /// Error(unavailable), saying what would be needed, if it is too short for a few rows.
    void run(std::int64_t num_rows) {
        std::int64_t wanted = std::min(num_rows, flow_.most_rows);
        // A few blocks at least, or there is nothing to copy while one is computed.
        if (num_rows * flow_.row_floats >= worth_parting)
            wanted = std::min(wanted, (num_rows + 3) / 4);
        const std::int64_t least = std::min<std::int64_t>(wanted, 32);
        const std::int64_t block = most_that_fits(wanted, least, [&](std::int64_t count) {
            if (try_reserve(slots_[0], count) && try_reserve(slots_[1], count)) return true;
            // What one slot holds too much of is missing for the other.
            for (RowSlot& slot : slots_)
                slot.release();
            return false;
        });
        if (block == 0)
            detail::throw_out_of_memory(static_cast<std::size_t>(least) * bytes_of_row());
        run_blocks({0, num_rows}, block, *this);
    }

    void send(std::size_t index, RowRange rows) {
        RowSlot& slot = slots_[index];
        slot.stream.synchronize();  // what an error left on its way
        slot.rows = rows;
        if (flow_.halves == nullptr)
            upload(flow_.values, slot, slot.values);
        else
            upload(flow_.halves, slot, slot.halves);
        work_.queue(slot, rows.size());
        if (flow_.results != nullptr)
            slot.results.download(slot.staged_results.data(), rows.size() * flow_.result_floats,
                                  slot.stream);
    }

    void receive(std::size_t index) {
        RowSlot& slot = slots_[index];
        slot.stream.synchronize();
        if (flow_.results != nullptr)
            std::copy_n(slot.staged_results.data(), slot.rows.size() * flow_.result_floats,
                        flow_.results + slot.rows.begin * flow_.result_floats);
        if constexpr (requires { work_.receive(slot); }) work_.receive(slot);
    }

  private:
    template <class Stored>
    void upload(const Stored* rows, RowSlot& slot, DeviceArray<Stored>& to) const {
        const std::int64_t count = slot.rows.size() * flow_.row_floats;
        auto* const staged = reinterpret_cast<Stored*>(slot.staged_values.data());
        std::copy_n(rows + slot.rows.begin * flow_.row_floats, count, staged);
        to.upload(staged, count, slot.stream);
    }
    bool try_reserve(RowSlot& slot, std::int64_t count) const {
        const std::int64_t values = count * flow_.row_floats;
        const bool are_halves = flow_.halves != nullptr;
        return slot.staged_values.try_reserve(are_halves ? (values + 1) / 2 : values) &&
               slot.staged_results.try_reserve(
                   flow_.results == nullptr ? 0 : count * flow_.result_floats) &&
               (are_halves ? slot.halves.try_reserve(values) : slot.values.try_reserve(values)) &&
               slot.results.try_reserve(count * flow_.result_floats) &&
               work_.try_reserve(slot, count);
    }
    std::size_t bytes_of_row() const {
        return 2 * sizeof(float) *
               static_cast<std::size_t>(flow_.row_floats + flow_.result_floats +
                                        work_.floats_of_row());
    }

    static constexpr std::int64_t worth_parting = 1 << 18;  // floats

    RowFlow flow_;
    const Work& work_;
    RowSlots& slots_;
};

/// The slots of the calling thread, kept from call to call.
inline RowSlots& row_slots() {
    thread_local RowSlots own;
    return own;
}

}  // namespace sluice::kernels::cuda
