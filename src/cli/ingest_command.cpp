#include "cli/commands.hpp"
#include "cli/launch.hpp"
#include "cli/pool_options.hpp"
#include "cli/queue_options.hpp"
#include "core/durable_file.hpp"
#include "core/text.hpp"
#include "labels/ingest.hpp"
#include "queue/layout.hpp"

#include <fmt/format.h>

#include <limits>

namespace sluice::cli {
namespace {

constexpr Range class_counts{1, std::numeric_limits<std::int32_t>::max()};

CommandSpec make_spec() {
    CommandSpec spec;
    spec.name = "ingest";
    spec.summary = "take results into immutable label files, each label once";
    spec.usage = "--queue DIR --labels DIR [OPTIONS]";
    spec.details =
        "Writes the labels that wait in the queue to a new file labels.gNNNN.h5, which never "
        "changes again, and settles the result files. The first label of an item counts, among "
        "people's the one most of them gave. Labels that contradict one that counts are listed in "
        "conflicts.gNNNN.jsonl; lines that fit no item or break a rule go to the queue's "
        "quarantine. Run it whenever you like, also while workers are busy.";
    spec.launch = Launch::alone;
    spec.options = {
        queue_option(),
        {.name = "labels",
         .value_name = "DIR",
         .summary = "directory of label files, created when absent",
         .need = OptionSpec::Need::required},
        {.name = "tolerance",
         .value_name = "X",
         .summary = "two labels of an item are the same if they differ by no more than this "
                    "fraction of the larger one; 0 = if all bits are the same",
         .default_text = "0"},
        {.name = "classes",
         .value_name = "C",
         .summary = "labels are classes 0 to C-1; without it, classes have no upper limit"},
        json_option(),
        config_option()};
    return spec;
}

labels::IngestRequest request_of(const Options& options) {
    labels::IngestRequest request;
    request.queue_directory = options.text("queue");
    request.labels_directory = options.text("labels");
    if (options.text("tolerance") != "0") request.tolerance = options.positive_number("tolerance");
    if (options.has("classes")) request.classes = options.count("classes", class_counts);
    return request;
}

// Result files that were left in place, by what is wrong with the first.
void fail_on_files(const std::vector<std::string>& files, ExitCode code) {
    if (files.empty()) return;
    const std::string more =
        files.size() > 1 ? fmt::format(" (the first of {} such files)", files.size()) : "";
    throw Error(code, files.front() + more);
}

// What is wrong has been listed and all else is done; the exit code still says so.
void fail_on_trouble(const labels::IngestReport& report, const std::string& queue_directory) {
    require(
        report.conflicts == 0 || report.conflict_files.empty(), ExitCode::bad_data,
        fmt::format("{}: lists {} that contradict labels that count; compare them, the ones "
                    "that count stay",
                    report.conflict_files.empty() ? "" : report.conflict_files.back(),
                    report.conflicts == 1 ? "1 label" : count_text(report.conflicts) + " labels"));
    require(report.rejected == 0, ExitCode::bad_data,
            fmt::format(
                "{}: {} rejected; see *.rejected.jsonl there for each reason",
                queue::join(queue_directory, queue::folder::quarantine),
                report.rejected == 1 ? "1 line was" : count_text(report.rejected) + " lines were"));
    fail_on_files(report.forbidden, ExitCode::permission);
    fail_on_files(report.damaged, ExitCode::try_again);
}

void run_ingest(const labels::IngestRequest& request, const std::string& json_path) {
    const labels::IngestReport report = labels::ingest(request);
    print_result(labels::ingest_text(report));
    if (!json_path.empty()) publish_text_file(json_path, labels::ingest_json(report));
    fail_on_trouble(report, request.queue_directory);
}

}  // namespace

Command ingest_command() {
    return {make_spec(), [](const Options& options) {
                const labels::IngestRequest request = request_of(options);
                const std::string json_path = options.text("json");
                return
                    [request, json_path](comm::Communicator&) { run_ingest(request, json_path); };
            }};
}

}  // namespace sluice::cli
