#include "queue/publish.hpp"

#include "core/directory.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "queue/batch_files.hpp"
#include "queue/complete.hpp"
#include "queue/layout.hpp"
#include "queue/order.hpp"
#include "queue/staging.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

// How a batch is published. Each arrow is one atomic call; a process may be killed at any of them
// and the next one goes on from there.
//   tmp/STAGED/         the whole batch is built, synced and read back under a name of its own
//   -> order/NNNNNN     link: exclusive. From here on the batch is issued and belongs to everybody
//   -> batches/ID/      rename of tmp/STAGED, which only the order entry names
//   -> pending/TOKEN    one rename for each ticket, so that no token is ever made twice
//   -> manifest.json    rename within the batch directory: the commit point for readers

namespace sluice::queue {
namespace {

std::string without_trailing_slashes(std::string directory) {
    while (directory.size() > 1 && directory.back() == '/')
        directory.pop_back();
    return directory;
}

void require_unissued(const Batch& batch, const std::vector<RowId>& issued) {
    for (const BatchItem& item : batch.items) {
        require(!std::binary_search(issued.begin(), issued.end(), item.row), ExitCode::internal,
                fmt::format("batch {}: row {} has been issued before", batch.id, item.row));
    }
}

Error overtaken(const std::string& directory) {
    return {ExitCode::try_again,
            directory + ": another selection was published meanwhile; run the same command again"};
}

// Builds the batch in tmp/, leaving nothing behind if that fails.
void build_durably(const Batch& batch, const std::string& queue_directory,
                   const std::string& staged) {
    const std::string tmp = join(queue_directory, folder::tmp);
    try {
        build_batch(batch, join(tmp, staged));
        sync_directory(tmp);
        sync_directory(queue_directory);
    } catch (...) {
        clear_away(join(tmp, staged));
        throw;
    }
}

}  // namespace

Queue::Queue(std::string directory) : directory_(without_trailing_slashes(std::move(directory))) {
    require(!directory_.empty(), ExitCode::usage, "--queue: empty; give a directory");
    open_layout(directory_);
}

std::vector<RowId> Queue::issued_rows() const {
    std::vector<RowId> rows;
    for (const OrderEntry& entry : read_order(directory_)) {
        const std::vector<RowId> batch = rows_of_batch(directory_, entry);
        rows.insert(rows.end(), batch.begin(), batch.end());
    }
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    return rows;
}

std::int64_t Queue::num_issued() const {
    return count_order(directory_);
}

std::optional<std::string> Queue::find_batch(const std::string& id) {
    remove_leftovers(directory_);
    const std::vector<OrderEntry> order = read_order(directory_);
    const auto found = std::find_if(order.begin(), order.end(),
                                    [&](const OrderEntry& entry) { return entry.batch_id == id; });
    if (found == order.end()) return std::nullopt;
    complete_batch(directory_, *found);
    const std::string batch = join(join(directory_, folder::batches), id);
    return read_own_file(join(batch, batch_file::manifest));
}

std::string Queue::last_pool_fingerprint() const {
    const std::vector<OrderEntry> order = read_order(directory_);
    return order.empty() ? std::string() : order.back().pool_fingerprint;
}

PublishOutcome Queue::publish(const Batch& batch, std::int64_t expected_issued) {
    check_batch(batch);
    if (find_batch(batch.id).has_value()) return PublishOutcome::already_there;
    if (num_issued() != expected_issued) throw overtaken(directory_);
    require_unissued(batch, issued_rows());
    const OrderEntry mine{batch.id, batch.pool_fingerprint, staging_name()};
    build_durably(batch, directory_, mine.staged);
    const OrderEntry holder = claim_order(directory_, expected_issued + 1, mine);
    const bool won = holder.staged == mine.staged;
    if (!won) clear_away(join(join(directory_, folder::tmp), mine.staged));
    if (holder.batch_id != batch.id) throw overtaken(directory_);
    complete_batch(directory_, holder);
    return won ? PublishOutcome::published : PublishOutcome::already_there;
}

}  // namespace sluice::queue
