#include "campaign/slurm.hpp"

#include "core/error.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "oracle/process.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <sstream>
#include <string_view>

namespace sluice::campaign {
namespace {

using oracle::ProcessOutcome;

constexpr int not_found = 127;            // exit code of env(1)
constexpr double squeue_seconds = 10.0;   // a hint is not worth more
constexpr double sbatch_seconds = 120.0;  // a busy controller takes its time
constexpr std::size_t name_digits = 8;

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

}  // namespace

SlurmNames slurm_names(const std::string& campaign_path) {
    const std::string path = std::filesystem::absolute(campaign_path).lexically_normal().string();
    const std::string digits = sha256_hex(path).substr(0, name_digits);
    return {"sluice-run-" + digits, "sluice-label-" + digits};
}

std::optional<std::vector<SlurmJob>> slurm_jobs(const SlurmNames& names) {
    const ProcessOutcome outcome = call(
        {"squeue", "--noheader", "--name=" + names.run + "," + names.label, "--format=%i|%j|%T|%R"},
        own_environment(), squeue_seconds);
    if (!succeeded(outcome)) return std::nullopt;
    std::vector<SlurmJob> jobs;
    std::istringstream lines(outcome.output);
    for (std::string line; std::getline(lines, line);) {
        SlurmJob job;
        std::istringstream fields(line);
        std::getline(fields, job.id, '|');
        std::getline(fields, job.name, '|');
        std::getline(fields, job.state, '|');
        std::getline(fields, job.place);
        jobs.push_back(std::move(job));
    }
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

}  // namespace sluice::campaign
