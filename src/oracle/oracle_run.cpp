#include "oracle/oracle_run.hpp"

#include "core/directory.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/trouble.hpp"
#include "oracle/extract.hpp"
#include "queue/layout.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

namespace sluice::oracle {
namespace {

// What one line of jsonl output may take, beside the limit of the log.
constexpr std::int64_t line_bytes = std::int64_t{64} << 10;

// The oracle may have made something of this name; then that stays.
void leave_text(const std::string& path, const std::string& text) {
    if (queue::exists(path)) return;
    try {
        create_text_file(path, text, SyncTime::later);
    } catch (const Error& error) {
        note_trouble(error);
    }
}

}  // namespace

OracleRun::OracleRun(const OracleSetup& setup, std::vector<queue::TicketItem> items)
    : setup_(setup), items_(std::move(items)), directory_(setup.scratch.create()) {
    try {
        if (setup_.spec.mode == Spec::Mode::item) {
            write_inputs(setup_.spec, items_.front(), directory_);
        } else {
            write_files(setup_.spec, directory_);
        }
        process_ = std::make_unique<Process>(setup_.pool, request());
    } catch (...) {
        clear_away(directory_);
        throw;
    }
}

OracleRun::~OracleRun() {
    process_.reset();
    if (!directory_.empty()) clear_away(directory_);
}

ProcessRequest OracleRun::request() const {
    const Spec& spec = setup_.spec;
    const bool is_jsonl = spec.mode == Spec::Mode::jsonl;
    ProcessRequest request;
    request.program = setup_.program;
    for (const Template& word : spec.command)
        request.arguments.push_back(word.render(items_.front()));
    request.environment = setup_.environment;
    request.directory = directory_;
    request.time_limit_seconds = spec.time_limit_seconds;
    request.output_limit_bytes = spec.log_limit_bytes;
    request.log_limit_bytes = spec.log_limit_bytes;
    request.file_limit_bytes = spec.file_limit_bytes;
    if (!is_jsonl) return request;
    for (const queue::TicketItem& item : items_)
        request.input += input_text(item) + "\n";
    const auto num_items = std::ssize(items_);
    request.time_limit_seconds =
        spec.start_limit_seconds + spec.time_limit_seconds * static_cast<double>(num_items);
    request.output_limit_bytes += num_items * line_bytes;
    return request;
}

std::vector<queue::ItemResult> OracleRun::judge() const {
    if (setup_.spec.mode == Spec::Mode::jsonl) return judge_lines(setup_.spec, items_, outcome());
    return {judge_item(setup_.spec, items_.front(), outcome(), directory_)};
}

std::set<std::int64_t> OracleRun::answered() const {
    std::set<std::int64_t> found;
    std::istringstream lines(outcome().output);
    for (std::string line; std::getline(lines, line);) {
        const auto json = nlohmann::json::parse(line, nullptr, false);
        if (!json.is_object()) continue;
        const auto item = json.find("item");
        if (item != json.end() && item->is_number_integer())
            found.insert(item->get<std::int64_t>());
    }
    return found;
}

std::string OracleRun::keep() {
    leave_text(queue::join(directory_, "stdout"), outcome().output);
    leave_text(queue::join(directory_, "stderr"), outcome().log);
    return setup_.scratch.keep(std::exchange(directory_, ""));
}

}  // namespace sluice::oracle
