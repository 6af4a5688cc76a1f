#include "stream/stream_queue.hpp"

#include "campaign/batch_id.hpp"
#include "campaign/batch_items.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "queue/complete.hpp"
#include "queue/layout.hpp"
#include "queue/order.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

namespace sluice::stream {
namespace {

constexpr int most_tries = 5;
constexpr float no_distance = std::numeric_limits<float>::quiet_NaN();

// The least certain first to those who look at scores.
float score_of(double certainty) {
    constexpr double most = std::numeric_limits<float>::max();
    return static_cast<float>(-std::min(certainty, most));
}

// Who was killed while it published may not come back with the same batch: new items may have
// come since.
void complete_batches(const std::string& directory) {
    for (const queue::OrderEntry& entry : queue::read_order(directory)) {
        const std::string batch =
            queue::join(queue::join(directory, queue::folder::batches), entry.batch_id);
        if (!queue::exists(queue::join(batch, queue::batch_file::manifest)))
            queue::complete_batch(directory, entry);
    }
}

// Their places among the items, without those that a batch has issued.
std::vector<std::size_t> new_ones(const AskedItems& items, const std::vector<RowId>& issued) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < items.numbers.size(); ++i) {
        if (!std::binary_search(issued.begin(), issued.end(), items.numbers[i]))
            places.push_back(i);
    }
    return places;
}

AskedItems part_of(const AskedItems& items, const std::vector<std::size_t>& places) {
    AskedItems part;
    part.dim = items.dim;
    part.num_inputs = items.num_inputs;
    const auto copy = [](const std::vector<double>& from, std::size_t at, std::int64_t width,
                         std::vector<double>& to) {
        const auto begin = from.begin() + static_cast<std::int64_t>(at) * width;
        to.insert(to.end(), begin, begin + width);
    };
    for (const std::size_t at : places) {
        part.numbers.push_back(items.numbers[at]);
        part.ids.push_back(items.ids[at]);
        part.certainties.push_back(items.certainties[at]);
        copy(items.features, at, items.dim, part.features);
        copy(items.inputs, at, items.num_inputs, part.inputs);
    }
    return part;
}

// What lines have told of the items.
queue::Batch batch_of_lines(const AskedItems& items) {
    queue::Batch batch;
    for (std::size_t i = 0; i < items.numbers.size(); ++i) {
        const auto begin = items.inputs.begin() + static_cast<std::int64_t>(i) * items.num_inputs;
        batch.items.push_back({items.numbers[i],
                               items.ids[i],
                               score_of(items.certainties[i]),
                               no_distance,
                               {begin, begin + items.num_inputs}});
    }
    for (const double value : items.features)
        batch.features.push_back(static_cast<float>(value));
    batch.dim = items.dim;
    return batch;
}

queue::Batch batch_of_pool(const pool::Pool& pool, const AskedItems& items) {
    select::Selection selection;
    for (std::size_t i = 0; i < items.numbers.size(); ++i)
        selection.rows.push_back({items.numbers[i], score_of(items.certainties[i]), no_distance});
    return campaign::assemble_batch(pool, selection, 1);
}

}  // namespace

StreamQueue::StreamQueue(const QueueOptions& options, std::string origin)
    : options_(options), origin_(std::move(origin)), queue_(options.directory) {
    complete_batches(options.directory);
}

std::string StreamQueue::id_of(const AskedItems& items) const {
    nlohmann::ordered_json science;
    science["format"] = "sluice-stream-batch-1";
    science["origin"] = origin_;
    science["items"] = items.numbers;
    science["ids"] = items.ids;
    return sha256_hex(
               science.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace))
        .substr(0, campaign::batch_id_digits);
}

queue::Batch StreamQueue::batch_of(const pool::Pool* pool, const AskedItems& items) const {
    queue::Batch batch = pool == nullptr ? batch_of_lines(items) : batch_of_pool(*pool, items);
    batch.ticket_items = options_.ticket_items;
    batch.tag = options_.tag;
    comm::Communicator alone;
    batch.pool_fingerprint =
        pool == nullptr ? sha256_hex("a stream of lines") : pool::fingerprint(*pool, alone);
    nlohmann::ordered_json manifest;
    manifest["score"] = "uncertainty in a stream";
    manifest["origin"] = origin_;
    manifest["last_item"] = items.numbers.back();
    batch.manifest = manifest.dump();
    return batch;
}

bool StreamQueue::is_published(const pool::Pool* pool, const AskedItems& items,
                               const std::string& id) {
    if (queue_.find_batch(id)) return true;
    const std::int64_t num_issued = queue_.num_issued();
    const AskedItems rest = part_of(items, new_ones(items, queue_.issued_rows()));
    if (rest.size() == 0) return true;
    queue::Batch batch = batch_of(pool, rest);
    batch.id = id;
    try {
        queue_.publish(batch, num_issued);
    } catch (const Error& error) {
        if (error.code() != ExitCode::try_again) throw;
        return false;
    }
    log_info(fmt::format("batch {}: {} items are in {}", id, count_text(rest.size()),
                         queue_.directory()));
    return true;
}

void StreamQueue::publish(const pool::Pool* pool, AskedItems& items) {
    if (items.size() == 0) return;
    const std::string id = id_of(items);
    for (int attempt = 1; !is_published(pool, items, id); ++attempt) {
        require(attempt < most_tries, ExitCode::try_again,
                queue_.directory() +
                    ": others publish in it all the time; run the same command again to go on");
    }
    items = {};
}

}  // namespace sluice::stream
