#include "cli/batch_options.hpp"

#include "core/text.hpp"
#include "queue/layout.hpp"
#include "select/diversity.hpp"

#include <cstdint>
#include <limits>

namespace sluice::cli {
namespace {

constexpr std::uint64_t max_count = std::numeric_limits<std::int32_t>::max();

}  // namespace

OptionSpec diversify_option(const std::string& summary) {
    return {.name = "diversify",
            .value_name = "NAME",
            .summary = summary,
            .default_text = "k_center",
            .aliases = {"diversity"},
            .choices = choices_of(select::diversity_definitions())};
}

OptionSpec metric_option() {
    return {.name = "metric",
            .value_name = "NAME",
            .summary = "distance between features",
            .default_text = "euclidean",
            .choices = {{"euclidean"}, {"cosine"}}};
}

OptionSpec shortlist_option(const std::string& summary) {
    return {.name = "shortlist",
            .value_name = "K",
            .summary = summary,
            .unit = "rows",
            .default_text = "auto",
            .aliases = {"shortlist-size"}};
}

OptionSpec bad_rows_option(const std::string& rows) {
    return {.name = "bad-rows",
            .value_name = "WHAT",
            .summary = "what to do about " + rows + " with wrong values",
            .default_text = "refuse",
            .choices = {{"refuse"}, {"skip"}}};
}

OptionSpec target_queue_option() {
    return {.name = "queue",
            .value_name = "DIR",
            .summary = "queue directory that the batch is published in; made when absent"};
}

OptionSpec new_pool_option() {
    return {.name = "new-pool",
            .value_name = "",
            .summary = "go on with a queue whose earlier batches came from another pool",
            .kind = OptionSpec::Kind::flag};
}

OptionSpec ticket_items_option() {
    return {.name = "ticket-items",
            .value_name = "T",
            .summary = "rows that an oracle worker takes together; auto = B/100, at least 1",
            .unit = "rows",
            .default_text = "auto"};
}

select::BadRows bad_rows(const Options& options) {
    return options.text("bad-rows") == "skip" ? select::BadRows::skip : select::BadRows::refuse;
}

std::string worker_tag(const Options& options) {
    const std::string tag = options.text("tag");
    if (!tag.empty() && !queue::is_plain_name(tag)) {
        options.fail("tag", "'" + printable(tag) +
                                "' cannot be a tag; use letters, digits, '-', '_' and '.'");
    }
    return tag;
}

void read_publishing(const Options& options, campaign::SelectRequest& request) {
    using NewPool = campaign::SelectRequest::NewPool;
    request.queue_directory = options.text("queue");
    request.new_pool = options.flag("new-pool") ? NewPool::accept : NewPool::refuse;
    request.ticket_items = options.count_or_auto("ticket-items", {1, max_count}).value_or(0);
    request.tag = worker_tag(options);
    request.selected_path = options.text("selected");
}

}  // namespace sluice::cli
