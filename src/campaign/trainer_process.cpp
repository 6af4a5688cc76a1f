#include "campaign/trainer_process.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "oracle/process.hpp"
#include "oracle/spec.hpp"
#include "oracle/text_rules.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <string_view>

namespace sluice::campaign {
namespace {

using oracle::ProcessOutcome;

constexpr std::int64_t log_limit_bytes = std::int64_t{64} << 20;
constexpr std::string_view option = "--train-command";

// What launchers and schedulers leave behind; an MPI program below another fails if it inherits it.
constexpr std::array launcher_prefixes = {"OMPI_",  "PMIX_", "PMI_",  "PRTE_",
                                          "HYDRA_", "MPI_",  "SLURM_"};

std::vector<std::string> passed_variables() {
    std::vector<std::string> names;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const std::string_view name = text.substr(0, text.find('='));
        const bool of_launcher = std::ranges::any_of(
            launcher_prefixes, [&](const char* prefix) { return name.starts_with(prefix); });
        if (!of_launcher) names.emplace_back(name);
    }
    return names;
}

std::string find_trainer(const std::string& word) {
    oracle::Spec spec;
    spec.path = option;
    spec.command.emplace_back(word, std::string(option), oracle::Template::Use::argument);
    return oracle::find_program(spec);
}

// The last line that says something: what a Python program died of.
std::string last_line(const std::string& log) {
    const std::size_t end = log.find_last_not_of(" \t\r\n");
    if (end == std::string::npos) return "it printed nothing";
    const std::size_t begin = log.find_last_of('\n', end);
    return printable(log.substr(begin + 1, end - begin));
}

std::string why_failed(const TrainCommand& command, const ProcessOutcome& outcome) {
    using End = ProcessOutcome::End;
    switch (outcome.end) {
        case End::exited:
            return fmt::format("ended with exit code {} ({})", outcome.exit_code,
                               last_line(outcome.log.empty() ? outcome.output : outcome.log));
        case End::signalled:
            return fmt::format("was killed by signal {}", outcome.signal);
        case End::timed_out:
            return fmt::format("took longer than --train-limit ({:g} s) and was ended",
                               command.time_limit_seconds);
        case End::log_limit:
            return "printed more than 64 MiB and was ended";
        case End::stopped:
        case End::not_started:
            break;
    }
    return "could not be run (" + outcome.start_error + ")";
}

void keep_log(const TrainCommand& command, const ProcessOutcome& outcome) {
    if (command.log_path.empty()) return;
    publish_text_file(command.log_path, outcome.output + outcome.log);
}

std::string replaced(const std::string& word,
                     const std::map<std::string, std::vector<std::string>>& values) {
    std::string result;
    std::size_t from = 0;
    for (std::size_t open = word.find('{'); open != std::string::npos;
         open = word.find('{', from)) {
        const std::size_t close = word.find('}', open);
        const std::string name =
            close == std::string::npos ? "" : word.substr(open + 1, close - open - 1);
        const auto found = values.find(name);
        result += word.substr(from, open - from);
        if (found != values.end() && found->second.size() == 1) {
            result += found->second.front();
            from = close + 1;
        } else {
            require(found == values.end(), ExitCode::usage,
                    fmt::format("{}: {{{}}} must be a word of its own, as it may be several files",
                                option, name));
            const bool is_name = !name.empty() && std::ranges::all_of(name, [](char c) {
                return c >= 'a' && c <= 'z';
            });
            require(
                !is_name, ExitCode::usage,
                fmt::format("{}: unknown placeholder ({{{}}}); there are {{labels}}, {{model}}, "
                            "{{predictions}}, {{pool}}, {{seed}} and {{round}}",
                            option, name));
            result += '{';
            from = open + 1;
        }
    }
    return result + word.substr(from);
}

std::vector<std::string> split(const std::string& command) {
    try {
        return oracle::split_words(command, std::string(option));
    } catch (const Error& error) {
        throw Error(ExitCode::usage, error.what());
    }
}

}  // namespace

std::vector<std::string> trainer_words(
    const std::string& command, const std::map<std::string, std::vector<std::string>>& values) {
    std::vector<std::string> words;
    for (const std::string& word : split(command)) {
        const bool braced = word.size() > 2 && word.front() == '{' && word.back() == '}';
        const auto alone = braced ? values.find(word.substr(1, word.size() - 2)) : values.end();
        if (alone != values.end()) {
            words.insert(words.end(), alone->second.begin(), alone->second.end());
        } else {
            words.push_back(replaced(word, values));
        }
    }
    require(!words.empty(), ExitCode::usage,
            std::string(option) +
                ": is empty; name a program, as in \"python3 train.py {labels} "
                "{model}\"");
    return words;
}

bool names_placeholder(const std::string& command, const std::string& placeholder) {
    return command.find("{" + placeholder + "}") != std::string::npos;
}

double run_trainer(const TrainCommand& command, const std::vector<std::string>& words,
                   int num_threads) {
    oracle::ProcessRequest request;
    request.program = find_trainer(words.front());
    request.arguments = words;
    request.environment = oracle::clean_environment(passed_variables(), {});
    if (std::getenv("OMP_NUM_THREADS") == nullptr)
        request.environment["OMP_NUM_THREADS"] = std::to_string(num_threads);
    request.time_limit_seconds = command.time_limit_seconds;
    request.output_limit_bytes = log_limit_bytes;
    request.log_limit_bytes = log_limit_bytes;
    log_info("running " + printable(fmt::format("{}", fmt::join(words, " "))));
    oracle::ProcessPool pool;
    oracle::Process process(pool, std::move(request));
    while (!process.finished()) {
        pool.wait(std::chrono::milliseconds(200));
        if (stop_requested()) process.stop();
    }
    const ProcessOutcome& outcome = process.outcome();
    keep_log(command, outcome);
    require(outcome.end != ProcessOutcome::End::stopped, ExitCode::try_again,
            stop_text() + " while the training command ran; run the same command again");
    require(
        outcome.end == ProcessOutcome::End::exited && outcome.exit_code == 0,
        outcome.end == ProcessOutcome::End::not_started ? ExitCode::unavailable
                                                        : ExitCode::bad_data,
        fmt::format(
            "{}: {} {}; {}", option, printable(words.front()), why_failed(command, outcome),
            command.log_path.empty() ? "run it by hand" : "see " + printable(command.log_path)));
    return outcome.wall_seconds;
}

}  // namespace sluice::campaign
