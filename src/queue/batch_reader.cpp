#include "queue/batch_reader.hpp"

#include "core/error.hpp"
#include "core/sha256.hpp"
#include "queue/layout.hpp"
#include "queue/order.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace sluice::queue {
namespace {

using Json = nlohmann::ordered_json;

std::string batch_path(const std::string& queue_directory, const std::string& batch_id) {
    return join(join(queue_directory, folder::batches), batch_id);
}

std::string ticket_name(const TicketId& ticket) {
    return fmt::format("{}/{}.jsonl", batch_file::tickets, number_name(ticket.number));
}

BatchFacts facts_of(const Json& manifest) {
    BatchFacts facts;
    facts.id = manifest.at("id").get<std::string>();
    facts.num_items = manifest.at("items").get<std::int64_t>();
    facts.num_tickets = manifest.at("tickets").get<std::int64_t>();
    facts.ticket_items = manifest.at("ticket_items").get<std::int64_t>();
    facts.round = manifest.value("round", std::int64_t{0});
    facts.tag = manifest.value("tag", std::string());
    facts.pool_fingerprint = manifest.value("pool_fingerprint", std::string());
    const std::string prefix = std::string(batch_file::tickets) + "/";
    for (const auto& [name, file] : manifest.at("files").items()) {
        if (!name.starts_with(prefix)) continue;
        facts.ticket_sha256[name] = file.at("sha256").get<std::string>();
    }
    return facts;
}

bool adds_up(const BatchFacts& facts) {
    if (facts.num_items < 0 || facts.ticket_items < 1 || facts.num_tickets < 0) return false;
    const std::int64_t last = facts.num_items % facts.ticket_items > 0 ? 1 : 0;
    return facts.num_tickets == facts.num_items / facts.ticket_items + last &&
           static_cast<std::int64_t>(facts.ticket_sha256.size()) == facts.num_tickets;
}

BatchFacts parse_manifest(const std::string& text, const std::string& path) {
    try {
        BatchFacts facts = facts_of(Json::parse(text));
        if (adds_up(facts)) return facts;
    } catch (const Json::exception&) {  // told below
    }
    throw Error(ExitCode::bad_data,
                path +
                    ": not the manifest of a batch; the batch is damaged, restore it from a "
                    "backup");
}

// Manifests made without a fingerprint of the pool have it in the order.
std::string fingerprint_in_order(const std::string& queue_directory, const std::string& batch_id) {
    for (const OrderEntry& entry : read_order(queue_directory)) {
        if (entry.batch_id == batch_id) return entry.pool_fingerprint;
    }
    return {};
}

TicketItem parse_item(const Json& line) {
    TicketItem item;
    item.item = line.at("item").get<std::int64_t>();
    item.row = line.at("row").get<RowId>();
    item.id = line.at("id").get<std::string>();
    const Json& inputs = line.at("inputs");
    for (const auto& [name, value] : inputs.items()) {
        if (inputs.is_object()) item.input_names.push_back(name);
        item.inputs.push_back(value.get<double>());
    }
    return item;
}

std::vector<TicketItem> parse_ticket(std::string_view text) {
    std::vector<TicketItem> items;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        items.push_back(parse_item(Json::parse(text.substr(0, end))));
        text.remove_prefix(std::min(text.size(), end + 1));
    }
    return items;
}

bool are_numbered(const std::vector<TicketItem>& items, std::int64_t first, std::int64_t count) {
    if (static_cast<std::int64_t>(items.size()) != count) return false;
    return std::all_of(items.begin(), items.end(),
                       [&](const TicketItem& item) { return item.item == first++; });
}

}  // namespace

BatchReader::BatchReader(std::string queue_directory)
    : queue_directory_(std::move(queue_directory)) {}

std::vector<std::string> BatchReader::ids() {
    std::vector<std::string> result;
    for (const OrderEntry& entry : read_order(queue_directory_)) {
        const std::string path = batch_path(queue_directory_, entry.batch_id);
        if (exists(join(path, batch_file::manifest))) result.push_back(entry.batch_id);
    }
    return result;
}

const BatchFacts& BatchReader::facts(const std::string& batch_id) {
    const auto known = known_.find(batch_id);
    if (known != known_.end()) return known->second;
    require(is_plain_name(batch_id), ExitCode::internal, "batch: id '" + batch_id + "'");
    const std::string batch = batch_path(queue_directory_, batch_id);
    const std::string path = join(batch, batch_file::manifest);
    require(exists(path), ExitCode::bad_data,
            path + ": missing; no such batch is in this queue, or it is not published yet");
    BatchFacts facts = parse_manifest(read_own_file(path), path);
    require(facts.id == batch_id, ExitCode::bad_data,
            fmt::format("{}: is of another batch ({}); restore it from a backup", path, facts.id));
    facts.path = batch;
    if (facts.pool_fingerprint.empty()) {
        facts.pool_fingerprint = fingerprint_in_order(queue_directory_, batch_id);
    }
    return known_.emplace(batch_id, std::move(facts)).first->second;
}

std::vector<TicketItem> BatchReader::ticket(const TicketId& ticket) {
    const std::int64_t count = num_items(ticket);  // also refuses what does not exist
    const BatchFacts& batch = facts(ticket.batch_id);
    const std::string name = ticket_name(ticket);
    const std::string path = join(batch.path, name);
    const std::string text = read_own_file(path);
    const auto expected = batch.ticket_sha256.find(name);
    require(expected != batch.ticket_sha256.end() && expected->second == sha256_hex(text),
            ExitCode::bad_data,
            path + ": does not match its manifest; the batch is damaged, restore it from a backup");
    try {
        std::vector<TicketItem> items = parse_ticket(text);
        if (are_numbered(items, first_item(ticket), count)) return items;
    } catch (const Json::exception&) {  // told below
    }
    throw Error(ExitCode::bad_data,
                path + ": does not hold the items of its ticket; restore it from a backup");
}

std::int64_t BatchReader::first_item(const TicketId& ticket) {
    return (ticket.number - 1) * facts(ticket.batch_id).ticket_items;
}

std::int64_t BatchReader::num_items(const TicketId& ticket) {
    const BatchFacts& batch = facts(ticket.batch_id);
    require(ticket.number >= 1 && ticket.number <= batch.num_tickets, ExitCode::bad_data,
            fmt::format("{}: has no ticket {} (it has {}); the queue holds something foreign",
                        join(batch.path, batch_file::manifest), ticket.number, batch.num_tickets));
    const std::int64_t first = first_item(ticket);
    return std::min(batch.ticket_items, batch.num_items - first);
}

}  // namespace sluice::queue
