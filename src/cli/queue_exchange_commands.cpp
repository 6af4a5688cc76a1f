#include "cli/commands.hpp"
#include "cli/launch.hpp"
#include "cli/pool_options.hpp"
#include "cli/queue_options.hpp"
#include "core/durable_file.hpp"
#include "core/text.hpp"
#include "queue/exchange.hpp"

#include <fmt/format.h>

namespace sluice::cli {
namespace {

constexpr std::uint64_t max_items = std::uint64_t{1} << 31;
constexpr std::uint64_t max_days = 3'650;

CommandSpec export_spec() {
    CommandSpec spec;
    spec.name = "queue export";
    spec.summary = "give items to a person, as a file for a labeling tool";
    spec.usage = "--queue DIR --to FORMAT --out FILE [OPTIONS]";
    spec.details =
        "Takes tickets for a person, for days, and writes their open items as tasks. Asked again "
        "for the same person, it writes the same tasks, without those answered meanwhile. 'sluice "
        "queue import' takes the answers.";
    spec.options = {
        queue_option(),
        {.name = "to",
         .value_name = "FORMAT",
         .summary = "format of the file (listed below)",
         .need = OptionSpec::Need::required,
         .choices = choices_of(queue::exchange_formats())},
        {.name = "out",
         .value_name = "FILE",
         .summary = "file to write",
         .need = OptionSpec::Need::required},
        {.name = "items",
         .value_name = "N",
         .summary = "how many items the person should have, whole tickets; all = what is queued",
         .unit = "items",
         .default_text = "all"},
        {.name = "person",
         .value_name = "NAME",
         .summary = "who gets them; letters, digits and '-'",
         .default_text = "human"},
        {.name = "days",
         .value_name = "D",
         .summary = "after so long without an import or another export, others may get them",
         .unit = "days",
         .default_text = "14"},
        {.name = "tags",
         .value_name = "TAG",
         .summary = "also take batches with one of these tags",
         .kind = OptionSpec::Kind::list},
        config_option(),
    };
    spec.launch = Launch::alone;
    return spec;
}

queue::ExportRequest export_request(const Options& options) {
    queue::ExportRequest request;
    request.queue_directory = queue_directory(options);
    request.format = options.text("to");
    request.path = options.text("out");
    request.person = options.text("person");
    if (options.text("items") != "all") request.max_items = options.count("items", {1, max_items});
    request.lease_days = options.count("days", {1, max_days});
    request.tags = options.texts("tags");
    return request;
}

void run_export(const queue::ExportRequest& request) {
    const std::int64_t num_items = queue::export_items(request);
    print_result(fmt::format("{}: {} {} for {}\n", printable(request.path), count_text(num_items),
                             num_items == 1 ? "item" : "items", request.person));
}

CommandSpec import_spec() {
    CommandSpec spec;
    spec.name = "queue import";
    spec.summary = "take a person's answers from a labeling tool's file";
    spec.usage = "FILE --queue DIR --from FORMAT [OPTIONS]";
    spec.details =
        "Finds items by their sluice_id alone: answers may come in any order, in parts, again, and "
        "from several people. Importing a file again changes nothing. Skipped items are offered "
        "again, up to three times.";
    spec.options = {
        {.name = "file",
         .value_name = "FILE",
         .summary = "the tool's file",
         .need = OptionSpec::Need::required},
        queue_option(),
        {.name = "from",
         .value_name = "FORMAT",
         .summary = "format of the file (listed below)",
         .need = OptionSpec::Need::required,
         .choices = choices_of(queue::exchange_formats())},
        {.name = "class-names",
         .value_name = "LIST",
         .summary = "names of the classes in the order of their numbers, by commas; without them "
                    "choices must be class numbers from 0"},
        json_option(),
        config_option(),
    };
    spec.positional = "file";
    spec.launch = Launch::alone;
    return spec;
}

std::vector<std::string> class_names(const Options& options) {
    std::vector<std::string> names;
    std::string rest = options.text("class-names");
    while (!rest.empty()) {
        const std::size_t comma = rest.find(',');
        names.push_back(rest.substr(0, comma));
        rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
        if (names.back().empty()) options.fail("class-names", "one of the names is empty");
    }
    return names;
}

struct ImportOrder {
    queue::ImportRequest request;
    std::string json_path;
};

ImportOrder import_order(const Options& options) {
    ImportOrder order;
    order.request.queue_directory = queue_directory(options);
    order.request.format = options.text("from");
    order.request.path = options.text("file");
    order.request.class_names = class_names(options);
    order.json_path = options.text("json");
    return order;
}

void fail_on_rejected(const queue::ImportReport& report) {
    if (report.rejected.empty()) return;
    std::string message = printable(report.rejected.front()) + "; the other answers were taken";
    if (report.rejected.size() > 1) {
        message += fmt::format(" (the first of {} that were not)", report.rejected.size());
    }
    throw Error(ExitCode::bad_data, message);
}

void run_import(const ImportOrder& order) {
    const queue::ImportReport report = queue::import_answers(order.request);
    print_result(printable(order.request.path) + ": " + queue::import_text(report));
    if (!order.json_path.empty()) {
        publish_text_file(order.json_path, queue::import_json(report));
    }
    fail_on_rejected(report);
}

}  // namespace

Command queue_export_command() {
    return {export_spec(), [](const Options& options) {
                const queue::ExportRequest request = export_request(options);
                return [request](comm::Communicator&) { run_export(request); };
            }};
}

Command queue_import_command() {
    return {import_spec(), [](const Options& options) {
                const ImportOrder order = import_order(options);
                return [order](comm::Communicator&) { run_import(order); };
            }};
}

}  // namespace sluice::cli
