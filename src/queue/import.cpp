#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "queue/claim.hpp"
#include "queue/exchange_parts.hpp"
#include "queue/fsck_parts.hpp"
#include "queue/item_state.hpp"
#include "queue/layout.hpp"
#include "queue/snapshot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace sluice::queue {
namespace {

constexpr std::size_t max_file_bytes = std::size_t{2} << 30;
constexpr std::size_t label_key_digits = 16;
constexpr std::size_t part_digits = 12;

// An answer that is about an item of ours, under the lease it is handed in by.
struct Delivery {
    Token lease;
    ItemResult result;
};

// What makes an answer the same as one that was taken before. A label is the same whichever lease
// it came by; to be refused again under a new lease counts again.
std::string identity_of(const ItemResult& result) {
    ItemResult bare;
    bare.item = result.item;
    bare.status = result.status;
    bare.y = result.y;
    bare.is_class = result.is_class;
    bare.annotator = result.annotator;
    if (result.status == ItemStatus::refused) bare.worker = result.worker;
    return result_text(bare);
}

// The lease of answers that came without one, when no person has the ticket any more.
Token nobodys_lease(const TicketId& ticket) {
    Token token;
    token.ticket = ticket;
    token.holder = Holder{"import", 0, std::string(20, '0')};
    return token;
}

std::string part_of(const std::vector<ItemResult>& results) {
    std::string lines;
    for (const ItemResult& result : results)
        lines += result_text(result) + "\n";
    return "i" + sha256_hex(lines).substr(0, part_digits);
}

// Whether every one of these items was answered under this lease.
bool all_answered(std::set<std::int64_t> items, const std::vector<ItemResult>& results,
                  const Token& lease) {
    for (const ItemResult& result : results) {
        if (result.worker == holder_text(*lease.holder)) items.erase(result.item);
    }
    return items.empty();
}

class Importer {
  public:
    explicit Importer(const ImportRequest& request)
        : request_(request),
          queue_directory_(request.queue_directory),
          claimer_(queue_directory_, {.person = "import"}),
          snapshot_(take_snapshot(queue_directory_)) {
        for (const std::string& id : claimer_.batches().ids())
            issued_.insert(id);
    }

    ImportReport take(const std::vector<Answer>& answers);

  private:
    void sort_out(const Answer& answer);
    std::optional<std::pair<TicketId, std::int64_t>> find_item(const std::string& sluice_id);
    Token lease_of(const Answer& answer, const TicketId& ticket) const;
    void reject(const Answer& answer, const std::string& problem);
    void take_ticket(const TicketId& ticket, std::vector<Delivery> deliveries);
    void complete(const TicketId& ticket, std::vector<Delivery>& deliveries);
    std::vector<ItemResult> earlier_results(const TicketFiles& files) const;
    void drop_repeats(const std::vector<ItemResult>& earlier, std::vector<Delivery>& deliveries);
    void publish(std::vector<Delivery> deliveries, TicketFiles& files);
    void end_leases(const TicketId& ticket, const TicketFiles& files);
    void remove_finished(std::string_view place, const Token& token);
    void mark_as_held(const Token& token);

    const ImportRequest& request_;
    std::string queue_directory_;
    Claimer claimer_;
    Snapshot snapshot_;
    std::set<std::string> issued_;
    std::map<TicketId, std::vector<Delivery>> deliveries_;
    ImportReport report_;
};

ImportReport Importer::take(const std::vector<Answer>& answers) {
    for (const Answer& answer : answers)
        sort_out(answer);
    for (auto& [ticket, deliveries] : deliveries_)
        take_ticket(ticket, std::move(deliveries));
    return std::move(report_);
}

void Importer::sort_out(const Answer& answer) {
    if (answer.kind == Answer::Kind::unreadable) return reject(answer, answer.problem);
    const auto found = find_item(answer.sluice_id);
    if (!found) {
        return reject(answer, fmt::format("sluice_id '{}' is no item of this queue",
                                          printable(answer.sluice_id)));
    }
    if (answer.kind == Answer::Kind::none) {
        ++report_.unanswered;
        return;
    }
    const auto& [ticket, item] = *found;
    Delivery delivery{lease_of(answer, ticket), {}};
    ItemResult& result = delivery.result;
    const bool is_label = answer.kind == Answer::Kind::label;
    result.item = item;
    result.status = is_label ? ItemStatus::ok : ItemStatus::refused;
    result.reason = is_label ? "" : "skipped";
    result.y = answer.y;
    result.is_class = answer.is_class;
    result.annotator = answer.annotator;
    result.wall_seconds = answer.seconds;
    deliveries_[ticket].push_back(std::move(delivery));
}

// `BATCH:ITEM`. What it says never becomes part of a path unless such a batch was issued.
std::optional<std::pair<TicketId, std::int64_t>> Importer::find_item(const std::string& sluice_id) {
    const std::size_t colon = sluice_id.rfind(':');
    if (colon == std::string::npos) return std::nullopt;
    const std::string batch_id = sluice_id.substr(0, colon);
    std::int64_t item = -1;
    const char* const end = sluice_id.data() + sluice_id.size();
    const auto result = std::from_chars(sluice_id.data() + colon + 1, end, item);
    if (result.ec != std::errc() || result.ptr != end || item < 0) return std::nullopt;
    if (!issued_.contains(batch_id)) return std::nullopt;
    const BatchFacts& facts = claimer_.batches().facts(batch_id);
    if (item >= facts.num_items) return std::nullopt;
    return std::pair(TicketId{batch_id, item / facts.ticket_items + 1}, item);
}

// The lease the task was exported with, even if it has been reaped since; else the one that a
// person has now.
Token Importer::lease_of(const Answer& answer, const TicketId& ticket) const {
    const std::optional<Token> token = parse_token(answer.lease);
    if (token && token->ticket == ticket && is_of_person(*token)) return *token;
    const auto found = snapshot_.tickets.find(ticket);
    if (found == snapshot_.tickets.end()) return nobodys_lease(ticket);
    const auto held = std::ranges::find_if(found->second.leased, is_of_person);
    return held == found->second.leased.end() ? nobodys_lease(ticket) : *held;
}

void Importer::reject(const Answer& answer, const std::string& problem) {
    report_.rejected.push_back(answer.where + ": " + problem);
}

// Results first, durably; only then leases end. Killed in between, the same import goes on here.
void Importer::take_ticket(const TicketId& ticket, std::vector<Delivery> deliveries) {
    TicketFiles files = snapshot_.tickets[ticket];
    complete(ticket, deliveries);
    drop_repeats(earlier_results(files), deliveries);
    std::map<std::string, std::vector<Delivery>> by_lease;
    for (Delivery& delivery : deliveries)
        by_lease[token_name(delivery.lease)].push_back(std::move(delivery));
    for (auto& [name, delivery] : by_lease)
        publish(std::move(delivery), files);
    end_leases(ticket, files);
}

// Fills in what the batch knows of its items.
void Importer::complete(const TicketId& ticket, std::vector<Delivery>& deliveries) {
    const BatchFacts& facts = claimer_.batches().facts(ticket.batch_id);
    const std::vector<TicketItem> items = claimer_.batches().ticket(ticket);
    for (Delivery& delivery : deliveries) {
        ItemResult& result = delivery.result;
        const TicketItem& item = items.at(static_cast<std::size_t>(result.item - items[0].item));
        result.row = item.row;
        result.id = item.id;
        result.worker = holder_text(*delivery.lease.holder);
        result.label_key = sha256_hex(fmt::format("{}|{}|", facts.pool_fingerprint, item.row))
                               .substr(0, label_key_digits);
    }
}

// Damaged files count as absent: an answer too many does no harm.
std::vector<ItemResult> Importer::earlier_results(const TicketFiles& files) const {
    std::vector<ItemResult> results;
    const auto add = [&](std::string_view place, const std::string& name) {
        const std::string path = join(join(queue_directory_, place), name);
        if (!exists(path)) return false;
        try {
            const ResultFile file = read_result_file(path);
            results.insert(results.end(), file.results.begin(), file.results.end());
        } catch (const Error& error) {
            if (error.code() == ExitCode::no_input) return false;
            if (error.code() != ExitCode::bad_data) throw;
        }
        return true;
    };
    for (const std::string& name : files.settled)
        add(folder::settled, name);
    for (const std::string& name : files.results) {
        if (!add(folder::results, name)) add(folder::settled, name);  // ingested meanwhile
    }
    return results;
}

void Importer::drop_repeats(const std::vector<ItemResult>& earlier,
                            std::vector<Delivery>& deliveries) {
    std::set<std::string> known;
    for (const ItemResult& result : earlier)
        known.insert(identity_of(result));
    report_.repeats +=
        static_cast<std::int64_t>(std::erase_if(deliveries, [&](const Delivery& delivery) {
            return !known.insert(identity_of(delivery.result)).second;
        }));
}

void Importer::publish(std::vector<Delivery> deliveries, TicketFiles& files) {
    std::ranges::stable_sort(deliveries, {}, [](const Delivery& delivery) {
        return std::pair(delivery.result.item, identity_of(delivery.result));
    });
    std::vector<ItemResult> results;
    for (Delivery& delivery : deliveries) {
        const bool is_label = delivery.result.status == ItemStatus::ok;
        ++(is_label ? report_.labels : report_.skipped);
        results.push_back(std::move(delivery.result));
    }
    ResultName name{deliveries.front().lease, part_of(results)};
    name.token.lease_seconds = 0;
    publish_results(queue_directory_, name, results);
    files.results.push_back(result_file_name(name));
}

// A person's lease ends when nothing is left to answer: for good if every item is finished, else,
// with what was skipped, for others to take.
void Importer::end_leases(const TicketId& ticket, const TicketFiles& files) {
    std::vector<std::string> damaged;
    std::set<std::int64_t> open;
    for (const ItemRecord& record :
         judge_ticket(queue_directory_, claimer_.batches(), ticket, files, damaged)) {
        if (is_open(record.state)) open.insert(record.item);
    }
    const std::vector<ItemResult> results = earlier_results(files);
    for (const Token& token : files.leased) {
        if (!is_of_person(token)) continue;
        if (open.empty()) {
            remove_finished(folder::leased, token);
        } else if (all_answered(open, results, token)) {
            claimer_.give_back(token);
        }
    }
    for (const Token& token : files.pending) {
        if (open.empty()) {
            remove_finished(folder::pending, token);
        } else if (token.attempt == 1 && token.releases == 0) {
            mark_as_held(token);
        }
    }
}

void Importer::remove_finished(std::string_view place, const Token& token) {
    if (remove_finished_token(queue_directory_, place, token)) ++report_.tickets_finished;
}

// Workers look for earlier results only of tickets that somebody had before.
void Importer::mark_as_held(const Token& token) {
    const std::string pending = join(queue_directory_, folder::pending);
    Token held = token;
    held.releases = 1;
    move_entry(join(pending, token_name(token)), join(pending, token_name(held)));
}

}  // namespace

ImportReport import_answers(const ImportRequest& request) {
    const Codec& codec = find_codec(request.format);
    require_queue(request.queue_directory);
    open_layout(request.queue_directory);
    AnswerSource source{request.path, read_text_file(request.path, max_file_bytes),
                        request.class_names};
    const std::vector<Answer> answers = codec.read(source);
    return Importer(request).take(answers);
}

}  // namespace sluice::queue
