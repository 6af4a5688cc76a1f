#pragma once

#include "core/types.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace sluice::kernels {

/// Takes rows through a device in blocks of `block_rows` that take turns in two slots: while one
/// block is computed, the next is copied. `Slots` has, for slot 0 or 1,
///   send(slot, rows)  waits for nothing: copies the rows to where the device reads them, and
///   queues
///                     their way there, their computation and the way of the results back;
///   receive(slot)     waits for what the slot was sent, and hands the results over.
/// A slot is never sent anything before what it was sent last has been received; blocks are
/// received in their order. If a step throws, blocks may still be on their way.
template <class Slots>
void run_blocks(RowRange rows, std::int64_t block_rows, Slots& slots) {
    std::int64_t sent = 0;
    std::int64_t received = 0;
    for (RowId begin = rows.begin; begin < rows.end; begin += block_rows) {
        if (sent - received == 2) slots.receive(static_cast<std::size_t>(received++ % 2));
        slots.send(static_cast<std::size_t>(sent++ % 2),
                   {begin, std::min(begin + block_rows, rows.end)});
    }
    while (received < sent)
        slots.receive(static_cast<std::size_t>(received++ % 2));
}

}  // namespace sluice::kernels
