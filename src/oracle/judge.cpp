#include "oracle/judge.hpp"

#include "core/text.hpp"
#include "oracle/extract.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <signal.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace sluice::oracle {
namespace {

using nlohmann::json;
using queue::ItemResult;
using queue::ItemStatus;
using queue::TicketItem;
using End = ProcessOutcome::End;

constexpr std::size_t max_reason_bytes = 200;
constexpr std::size_t max_tail_bytes = 2048;

constexpr int item_failed = 10;
constexpr int try_later = 20;
constexpr int stop_worker = 30;
constexpr int try_later_sysexits = 75;

constexpr std::array<std::pair<int, const char*>, 15> signal_names = {
    {{SIGHUP, "SIGHUP"},
     {SIGINT, "SIGINT"},
     {SIGQUIT, "SIGQUIT"},
     {SIGILL, "SIGILL"},
     {SIGABRT, "SIGABRT"},
     {SIGBUS, "SIGBUS"},
     {SIGFPE, "SIGFPE"},
     {SIGKILL, "SIGKILL"},
     {SIGSEGV, "SIGSEGV"},
     {SIGPIPE, "SIGPIPE"},
     {SIGALRM, "SIGALRM"},
     {SIGTERM, "SIGTERM"},
     {SIGXCPU, "SIGXCPU"},
     {SIGXFSZ, "SIGXFSZ, a file beyond file_limit"},
     {SIGSYS, "SIGSYS"}}};

std::string signal_text(int signal) {
    for (const auto& [number, name] : signal_names) {
        if (number == signal) return fmt::format("killed by signal {} ({})", signal, name);
    }
    return fmt::format("killed by signal {}", signal);
}

bool is_continuation(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

std::string beginning(std::string text, std::size_t max_bytes) {
    if (text.size() <= max_bytes) return text;
    std::size_t end = max_bytes;
    while (end > 0 && is_continuation(text[end]))
        --end;
    text.resize(end);
    return text;
}

std::string ending(const std::string& text, std::size_t max_bytes) {
    std::size_t begin = text.size() > max_bytes ? text.size() - max_bytes : 0;
    while (begin > 0 && begin < text.size() && is_continuation(text[begin]))
        ++begin;
    return text.substr(begin);
}

std::string log_tail(const std::string& detail, const ProcessOutcome& outcome) {
    const bool is_silent = outcome.log.find_first_not_of(" \t\r\n") == std::string::npos;
    const std::string before = detail.empty() ? "" : beginning(detail, max_tail_bytes / 4) + "\n";
    const std::string& log = is_silent ? outcome.output : outcome.log;
    return before + ending(log, max_tail_bytes - before.size());
}

// Everything but the verdict; the times are shared between the items of one process.
ItemResult unjudged(const Spec& spec, const TicketItem& item, const ProcessOutcome& outcome,
                    std::size_t num_items) {
    ItemResult result;
    result.item = item.item;
    result.row = item.row;
    result.id = item.id;
    result.is_class = spec.is_class;
    result.oracle_hash = spec.hash;
    result.started = outcome.started;
    result.wall_seconds = outcome.wall_seconds / static_cast<double>(num_items);
    result.cpu_seconds = outcome.cpu_seconds / static_cast<double>(num_items);
    result.peak_memory_kib = outcome.peak_memory_kib;
    if (outcome.end == End::exited) result.exit_code = outcome.exit_code;
    if (outcome.end == End::signalled) result.signal = outcome.signal;
    return result;
}

void fail(ItemResult& result, const Complaint& complaint, const ProcessOutcome& outcome) {
    result.status = complaint.status;
    result.reason = beginning(printable(complaint.reason), max_reason_bytes);
    result.log_tail = log_tail(complaint.detail, outcome);
}

void accept(ItemResult& result, Label label, const std::string& quality) {
    result.status = ItemStatus::ok;
    result.y = std::move(label.y);
    result.units = std::move(label.units);
    result.quality = quality;
}

// How a process ended, where that alone decides; nothing for other exit codes.
std::optional<Complaint> ended_badly(const Spec& spec, const ProcessOutcome& outcome) {
    const auto error = [](const std::string& reason) {
        return Complaint{ItemStatus::oracle_error, reason, ""};
    };
    switch (outcome.end) {
        case End::exited:
            return std::nullopt;
        case End::signalled:
            return error(signal_text(outcome.signal));
        case End::timed_out:
            return Complaint{
                ItemStatus::timeout,
                fmt::format("ran longer than {} s{}", number_text(spec.time_limit_seconds),
                            spec.mode == Spec::Mode::jsonl ? " an item" : ""),
                ""};
        case End::log_limit:
            return error(
                fmt::format("wrote more than {} MiB of output",
                            number_text(static_cast<double>(spec.log_limit_bytes) / (1 << 20))));
        case End::stopped:
            return Complaint{ItemStatus::refused, "stopped by its worker", ""};
        case End::not_started:
            return error("cannot start: " + outcome.start_error);
    }
    return error("ended in an unknown way");
}

// Exit codes with a meaning of their own; the reply may say more.
std::optional<Complaint> exit_complaint(int exit_code, const Reply& reply) {
    const std::string said = reply.reason();
    const auto reason = [&](const std::string& own) { return said.empty() ? own : said; };
    if (exit_code == try_later || exit_code == try_later_sysexits) {
        return Complaint{ItemStatus::refused,
                         reason(fmt::format("asked to be run later (exit code {})", exit_code)),
                         ""};
    }
    if (exit_code == stop_worker)
        return Complaint{ItemStatus::refused, reason("asked its worker to stop (exit code 30)"),
                         ""};
    if (exit_code != item_failed) return std::nullopt;
    const ItemStatus status = reply_status(reply).value_or(ItemStatus::oracle_error);
    return Complaint{status == ItemStatus::ok ? ItemStatus::oracle_error : status,
                     reason("the oracle says failed (exit code 10)"), ""};
}

Complaint exit_code_complaint(int exit_code) {
    return {ItemStatus::oracle_error, fmt::format("exit code {}", exit_code), ""};
}

Reply result_file(const ProcessOutcome& outcome, const std::string& scratch) {
    const OracleText text = oracle_text("result.json", outcome, scratch);
    if (text.text) return parse_reply(*text.text, "result.json");
    Reply reply;
    reply.source = "result.json";
    reply.problem = text.is_absent ? "no result.json" : text.problem;
    return reply;
}

bool uses_reply(const Spec& spec) {
    return spec.labels.empty() || std::ranges::any_of(spec.labels, [](const LabelRule& rule) {
               return rule.file.empty();
           });
}

std::optional<Complaint> judge_exit(const Spec& spec, const ProcessOutcome& outcome,
                                    const std::string& scratch) {
    if (outcome.exit_code == 0) {
        return broken_check(spec, outcome, scratch, [](const CheckRule&) { return true; });
    }
    const Reply reply = result_file(outcome, scratch);
    if (auto complaint = exit_complaint(outcome.exit_code, reply)) return complaint;
    // A check may know why: xtb exits with 1 for everything and says "abnormal termination".
    const auto says_more = [](const CheckRule& rule) {
        return rule.status != ItemStatus::oracle_error;
    };
    if (auto complaint = broken_check(spec, outcome, scratch, says_more)) return complaint;
    return exit_code_complaint(outcome.exit_code);
}

// What became of the answers of one process.
struct Answers {
    std::map<std::int64_t, Reply> replies;
    bool has_garbage = false;
    bool has_strangers = false;

    std::string missing_reason() const {
        if (has_strangers) return "no answer; the output names items that were not given";
        if (has_garbage) return "no answer; the output has lines that are no answers";
        return "no answer";
    }
};

void add_answer(std::string_view line, Answers& answers,
                const std::map<std::int64_t, const TicketItem*>& items) {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
    Reply reply = parse_reply(line, "the answer");
    const json* number = reply.find("item");
    if (number == nullptr || !number->is_number_integer()) {
        answers.has_garbage = true;
        return;
    }
    const auto item = number->get<std::int64_t>();
    if (!items.contains(item)) {
        answers.has_strangers = true;
        return;
    }
    const auto [known, is_new] = answers.replies.try_emplace(item, reply);
    if (!is_new && known->second.object != reply.object)
        known->second.problem = "answered twice, differently";
}

Answers read_answers(const std::vector<TicketItem>& items, const std::string& output) {
    std::map<std::int64_t, const TicketItem*> given;
    for (const TicketItem& item : items)
        given[item.item] = &item;
    Answers answers;
    std::string_view rest = output;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        add_answer(rest.substr(0, end), answers, given);
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return answers;
}

Complaint unanswered(const Spec& spec, const ProcessOutcome& outcome, const Answers& answers) {
    if (auto complaint = ended_badly(spec, outcome)) return *complaint;
    if (auto complaint = exit_complaint(outcome.exit_code, Reply{})) return *complaint;
    if (outcome.exit_code != 0) return exit_code_complaint(outcome.exit_code);
    return {ItemStatus::oracle_error, answers.missing_reason(), ""};
}

std::string json_text(const std::string& text) {
    return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string json_number(double value) {
    return std::isfinite(value) ? number_text(value) : "null";
}

}  // namespace

ItemResult judge_item(const Spec& spec, const TicketItem& item, const ProcessOutcome& outcome,
                      const std::string& scratch) {
    ItemResult result = unjudged(spec, item, outcome, 1);
    std::optional<Complaint> complaint = ended_badly(spec, outcome);
    if (!complaint) complaint = judge_exit(spec, outcome, scratch);
    Reply reply;
    if (!complaint && uses_reply(spec)) {
        reply = result_file(outcome, scratch);
        // With [label] and [check] sections the checks say whether it converged.
        const bool has_checks = !spec.labels.empty() && !spec.checks.empty();
        complaint = complaint_of(
            reply, has_checks ? Convergence::may_be_silent : Convergence::must_be_said);
    }
    Label label;
    if (!complaint) complaint = extract_label(spec, {outcome, scratch, reply}, label);
    if (complaint) {
        fail(result, *complaint, outcome);
        result.quality = reply.quality();
    } else {
        accept(result, std::move(label), reply.quality());
    }
    return result;
}

std::vector<ItemResult> judge_lines(const Spec& spec, const std::vector<TicketItem>& items,
                                    const ProcessOutcome& outcome) {
    const Answers answers = read_answers(items, outcome.output);
    const Complaint missing = unanswered(spec, outcome, answers);
    std::vector<ItemResult> results;
    for (const TicketItem& item : items) {
        ItemResult& result = results.emplace_back(unjudged(spec, item, outcome, items.size()));
        const auto answer = answers.replies.find(item.item);
        if (answer == answers.replies.end()) {
            fail(result, missing, outcome);
            continue;
        }
        const Reply& reply = answer->second;
        Label label;
        std::optional<Complaint> complaint = complaint_of(reply, Convergence::must_be_said);
        if (!complaint) complaint = extract_label(spec, {outcome, "", reply}, label);
        if (complaint) {
            fail(result, *complaint, outcome);
            result.quality = reply.quality();
        } else {
            accept(result, std::move(label), reply.quality());
        }
    }
    return results;
}

bool asks_to_stop(const ProcessOutcome& outcome) {
    return outcome.end == End::exited && outcome.exit_code == stop_worker;
}

std::string input_text(const TicketItem& item) {
    std::string text = fmt::format("{{\"item\":{},\"row\":{},\"id\":{},\"inputs\":", item.item,
                                   item.row, json_text(item.id));
    const bool is_named = !item.inputs.empty() && item.input_names.size() == item.inputs.size();
    text += is_named ? '{' : '[';
    for (std::size_t i = 0; i < item.inputs.size(); ++i) {
        if (i > 0) text += ',';
        if (is_named) text += json_text(item.input_names[i]) + ":";
        text += json_number(item.inputs[i]);
    }
    text += is_named ? "}}" : "]}";
    return text;
}

}  // namespace sluice::oracle
