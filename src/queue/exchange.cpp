#include "queue/exchange.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "h5/input_file.hpp"
#include "queue/claim.hpp"
#include "queue/exchange_parts.hpp"
#include "queue/item_state.hpp"
#include "queue/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace sluice::queue {
namespace {

constexpr std::int64_t seconds_per_day = 86'400;

// Collects what one person holds: the leases of earlier exports, then new ones.
class Exporter {
  public:
    explicit Exporter(const ExportRequest& request)
        : request_(request),
          claimer_(request.queue_directory, {.lease_seconds = request.lease_days * seconds_per_day,
                                             .tags = request.tags,
                                             .person = request.person}) {}

    std::vector<Task> collect();

  private:
    void add_held();
    void claim_more();
    void add(const Token& token, const TicketFiles& files);
    std::vector<TicketItem> open_items(const Token& token, const TicketFiles& files);
    const std::vector<float>& scores(const std::string& batch_id);

    const ExportRequest& request_;
    Claimer claimer_;
    std::vector<Task> tasks_;
    std::map<std::string, std::vector<float>> scores_;
};

// By batch and item: the same tasks always stand in the same order.
std::vector<Task> Exporter::collect() {
    add_held();
    claim_more();
    std::map<std::string, std::size_t> issue;
    for (const std::string& id : claimer_.batches().ids())
        issue.emplace(id, issue.size());
    const auto place = [&](const Task& task) {
        const std::string batch_id = task.sluice_id.substr(0, task.sluice_id.rfind(':'));
        return std::pair(issue[batch_id], task.item.item);
    };
    std::ranges::stable_sort(tasks_, {}, place);
    return std::move(tasks_);
}

// To ask for the tasks again is a sign of life.
void Exporter::add_held() {
    for (const auto& [ticket, files] : take_snapshot(request_.queue_directory).tickets) {
        for (const Token& token : files.leased) {
            const bool is_own = is_of_person(token) && token.holder->name == request_.person;
            if (is_own && claimer_.renew(token)) add(token, files);
        }
    }
}

void Exporter::claim_more() {
    const auto wants_more = [&] {
        return request_.max_items == 0 || std::ssize(tasks_) < request_.max_items;
    };
    while (wants_more()) {
        const std::optional<Token> token = claimer_.claim();
        if (!token) return;
        const bool never_held = token->attempt == 1 && token->releases == 0;
        add(*token, never_held ? TicketFiles()
                               : results_of_ticket(request_.queue_directory, token->ticket));
    }
}

void Exporter::add(const Token& token, const TicketFiles& files) {
    const std::vector<TicketItem> items = open_items(token, files);
    if (items.empty()) return claimer_.finish(token);
    const std::string& batch_id = token.ticket.batch_id;
    for (const TicketItem& item : items) {
        const float score = scores(batch_id).at(static_cast<std::size_t>(item.item));
        tasks_.push_back(
            {fmt::format("{}:{}", batch_id, item.item), item, score, token_name(token)});
    }
}

std::vector<TicketItem> Exporter::open_items(const Token& token, const TicketFiles& files) {
    std::vector<TicketItem> items = claimer_.batches().ticket(token.ticket);
    if (files.results.empty() && files.settled.empty()) return items;
    std::vector<std::string> damaged;
    std::set<std::int64_t> open;
    TicketFiles held = files;
    held.leased = {token};
    for (const ItemRecord& record :
         judge_ticket(request_.queue_directory, claimer_.batches(), token.ticket, held, damaged)) {
        if (is_open(record.state)) open.insert(record.item);
    }
    std::erase_if(items, [&](const TicketItem& item) { return !open.contains(item.item); });
    return items;
}

const std::vector<float>& Exporter::scores(const std::string& batch_id) {
    const auto known = scores_.find(batch_id);
    if (known != scores_.end()) return known->second;
    const BatchFacts& facts = claimer_.batches().facts(batch_id);
    const std::string path = join(facts.path, batch_file::items);
    std::vector<float> scores = h5::InputFile(path).floats("score");
    require(std::ssize(scores) == facts.num_items, ExitCode::bad_data,
            fmt::format("{}: score[{}] is not of the batch's {} items; restore it from a backup",
                        path, scores.size(), facts.num_items));
    return scores_.emplace(batch_id, std::move(scores)).first->second;
}

}  // namespace

std::string holder_text(const Holder& holder) {
    return fmt::format("{}-{}-{}", holder.name, holder.process, holder.nonce);
}

bool is_of_person(const Token& token) {
    return token.holder.has_value() && token.holder->process == 0;
}

std::int64_t export_items(const ExportRequest& request) {
    const Codec& codec = find_codec(request.format);
    require(!request.person.empty(), ExitCode::usage, "--person: empty; give a name");
    require_queue(request.queue_directory);
    open_layout(request.queue_directory);
    const std::vector<Task> tasks = Exporter(request).collect();
    publish_text_file(request.path, codec.write(tasks));
    return std::ssize(tasks);
}

}  // namespace sluice::queue
