#include "campaign/slurm.hpp"

#include "core/error.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "oracle/process.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>
#include <sstream>
#include <string_view>
#include <thread>

namespace sluice::campaign {
namespace {

using oracle::ProcessOutcome;

constexpr int not_found = 127;            // exit code of env(1)
constexpr double squeue_seconds = 10.0;   // a hint is not worth more
constexpr double sbatch_seconds = 120.0;  // a busy controller takes its time
constexpr std::size_t name_digits = 8;
constexpr int cancel_looks = 60;
constexpr std::chrono::milliseconds between_looks(500);

std::map<std::string, std::string> own_environment() {
    std::map<std::string, std::string> result;
    for (char** entry = ::environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos) continue;
        const std::string name(text.substr(0, equals));
        if (name.starts_with("SLURM_") && name != "SLURM_CONF") continue;
        result[name] = text.substr(equals + 1);
    }
    return result;
}

ProcessOutcome call(std::vector<std::string> words, std::map<std::string, std::string> environment,
                    double seconds) {
    words.insert(words.begin(), "env");
    oracle::ProcessRequest request;
    request.program = "/usr/bin/env";
    request.arguments = std::move(words);
    request.environment = std::move(environment);
    request.time_limit_seconds = seconds;
    oracle::ProcessPool pool;
    oracle::Process process(pool, std::move(request));
    while (!process.finished())
        pool.wait(std::chrono::milliseconds(200));
    return process.outcome();
}

bool succeeded(const ProcessOutcome& outcome) {
    return outcome.end == ProcessOutcome::End::exited && outcome.exit_code == 0;
}

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

bool is_over(const std::string& state) {
    static const std::set<std::string> states = {
        "BOOT_FAIL", "CANCELLED",     "COMPLETED", "DEADLINE", "FAILED",
        "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED",  "TIMEOUT"};
    return states.contains(state);
}

// The numbers in what squeue says of dependencies, as in
// `afterany:10_*(unfulfilled),afterany:11(unfulfilled),singleton(unfulfilled)`.
std::vector<std::string> numbers_waited_for(const std::string& dependencies) {
    std::vector<std::string> ids;
    for (std::size_t colon = dependencies.find(':'); colon != std::string::npos;
         colon = dependencies.find(':', colon + 1)) {
        const std::size_t end = dependencies.find_first_not_of("0123456789", colon + 1);
        const std::string id = dependencies.substr(colon + 1, end - colon - 1);
        if (!id.empty()) ids.push_back(id);
    }
    return ids;
}

// A line of squeue: a job that waits for all the numbers told, and its array's number.
struct QueueLine {
    SlurmJob job;
    std::string array;
};

QueueLine parse_line(const std::string& line) {
    QueueLine read;
    std::string dependencies;
    std::istringstream fields(line);
    for (std::string* field : {&read.job.id, &read.job.name, &read.job.state, &read.job.place,
                               &read.array, &dependencies})
        std::getline(fields, *field, '|');
    if (read.job.state == "PENDING") read.job.lost = numbers_waited_for(dependencies);
    return read;
}

}  // namespace

SlurmNames slurm_names(const std::string& campaign_path) {
    const std::string path = std::filesystem::absolute(campaign_path).lexically_normal().string();
    const std::string digits = sha256_hex(path).substr(0, name_digits);
    return {"sluice-run-" + digits, "sluice-label-" + digits};
}

std::optional<std::vector<SlurmJob>> slurm_jobs(const SlurmNames& names) {
    const ProcessOutcome outcome =
        call({"squeue", "--noheader", "--states=all", "--name=" + names.run + "," + names.label,
              "--format=%i|%j|%T|%R|%F|%E"},
             own_environment(), squeue_seconds);
    if (!succeeded(outcome)) return std::nullopt;
    std::vector<SlurmJob> jobs;
    std::set<std::string> known;
    std::istringstream lines(outcome.output);
    for (std::string line; std::getline(lines, line);) {
        const QueueLine read = parse_line(line);
        known.insert({read.job.id, read.array});
        if (!is_over(read.job.state)) jobs.push_back(read.job);
    }
    for (SlurmJob& job : jobs)
        std::erase_if(job.lost, [&](const std::string& id) { return known.contains(id); });
    return jobs;
}

std::string submit_job(const std::vector<std::string>& words,
                       const std::map<std::string, std::string>& more) {
    std::map<std::string, std::string> environment = own_environment();
    for (const auto& [name, value] : more)
        environment[name] = value;
    const ProcessOutcome outcome = call(words, std::move(environment), sbatch_seconds);
    if (succeeded(outcome)) return first_line(outcome.output);
    require(outcome.exit_code != not_found, ExitCode::unavailable,
            "sbatch: is not there; submit on a machine with Slurm, or use 'sluice run' directly");
    const bool is_silent = outcome.end != ProcessOutcome::End::exited ||
                           outcome.log.find("contact slurm controller") != std::string::npos ||
                           outcome.log.find("ommunication") != std::string::npos;
    throw Error(is_silent ? ExitCode::try_again : ExitCode::bad_config,
                fmt::format("sbatch: {} ({}); what is submitted stays, run the same command again",
                            is_silent ? "Slurm's controller does not answer" : "refuses the job",
                            printable(first_line(outcome.log))));
}

void cancel_waiting(const std::vector<std::string>& ids, const SlurmNames& names) {
    std::vector<std::string> words = {"scancel", "--state=PENDING"};
    words.insert(words.end(), ids.begin(), ids.end());
    for (int look = 0; look < cancel_looks; ++look) {
        call(words, own_environment(), squeue_seconds);
        const std::optional<std::vector<SlurmJob>> jobs = slurm_jobs(names);
        bool is_there = !jobs;
        for (const SlurmJob& job : jobs.value_or(std::vector<SlurmJob>())) {
            if (std::ranges::find(ids, job.id) == ids.end()) continue;
            is_there = true;
            require(job.state != "RUNNING", ExitCode::try_again,
                    "job " + job.id + " has begun to run; nothing submitted");
        }
        if (!is_there) return;
        std::this_thread::sleep_for(between_looks);
    }
    throw Error(ExitCode::try_again,
                fmt::format("scancel: job {} is still there; run the same command again",
                            fmt::join(ids, ", ")));
}

}  // namespace sluice::campaign
