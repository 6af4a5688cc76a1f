#include "campaign/campaign_status.hpp"
#include "campaign/submit_campaign.hpp"
#include "cli/commands.hpp"
#include "cli/launch.hpp"
#include "cli/pool_options.hpp"
#include "cli/queue_options.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"

#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace sluice::cli {
namespace {

constexpr std::uint64_t max_tasks = 1000;  // below Slurm's default limit of arrays

OptionSpec campaign_option() {
    return {.name = "campaign",
            .value_name = "PATH",
            .summary = "the campaign's INI file, or the directory with campaign.ini",
            .need = OptionSpec::Need::required};
}

CommandSpec status_spec() {
    CommandSpec spec;
    spec.name = "status";
    spec.summary = "say where a campaign stands: rounds, queues, jobs";
    spec.usage = "--campaign PATH [OPTIONS]";
    spec.details =
        "Reads the campaign's files, and asks squeue, whose answer is a hint. Changes nothing, "
        "needs no Slurm, and may be called while the campaign runs; of a campaign that is half "
        "written or damaged it shows what is there.";
    spec.options = {campaign_option(), json_option(), config_option()};
    spec.launch = Launch::alone;
    return spec;
}

CommandSpec submit_spec() {
    CommandSpec spec;
    spec.name = "submit";
    spec.summary = "submit a campaign to Slurm as a chain of jobs";
    spec.usage = "--campaign PATH [OPTIONS]";
    spec.details =
        "Submits the next jobs by where the campaign's files stand: jobs/campaign.sbatch, and "
        "before it, if items wait for workers outside, an array of jobs/label.sbatch. Each link "
        "submits the next until a stop rule holds or people are waited for. Logs go to jobs/ in "
        "the campaign's directory. Run it again if Slurm has lost a job: it cancels what waits for "
        "the lost one, and submits nothing while another job of the campaign waits or runs.";
    spec.options = {
        campaign_option(),
        {.name = "oracle",
         .value_name = "FILE",
         .summary = "what the array runs where the campaign's [label] oracle is not given"},
        {.name = "tasks",
         .value_name = "N",
         .summary = "tasks of the array, at most one an item",
         .default_text = "4"},
        {.name = "run-options",
         .value_name = "WORDS",
         .summary = "options of sbatch for the jobs that run the campaign, as in "
                    "--run-options=\"--nodes=8 --time=120\""},
        {.name = "label-options",
         .value_name = "WORDS",
         .summary = "options of sbatch for the array that labels"},
        {.name = "jobs",
         .value_name = "DIR",
         .summary = "where campaign.sbatch and label.sbatch lie; without it, SLUICE_JOBS or jobs/ "
                    "of the source tree that sluice was built in"},
        {.name = "dry-run",
         .value_name = "",
         .summary = "print the calls of sbatch and submit nothing",
         .kind = OptionSpec::Kind::flag},
        config_option()};
    spec.launch = Launch::alone;
    return spec;
}

std::vector<std::string> words_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;)
        words.push_back(word);
    return words;
}

// build/PRESET/sluice lies two folders below the tree.
std::string jobs_directory(const Options& options) {
    std::filesystem::path directory = options.text("jobs");
    const char* variable = std::getenv("SLUICE_JOBS");
    if (directory.empty() && variable != nullptr) directory = variable;
    if (directory.empty()) {
        const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe");
        directory = program.parent_path().parent_path().parent_path() / "jobs";
    }
    directory = std::filesystem::absolute(directory).lexically_normal();
    for (const char* name : {"campaign.sbatch", "label.sbatch", "launch.sh"}) {
        require(std::filesystem::exists(directory / name), ExitCode::no_input,
                (directory / name).string() + ": is not there; give --jobs DIR");
    }
    return directory.string();
}

// The options that the last link gives again.
std::vector<std::string> words_again(const Options& options) {
    std::vector<std::string> words;
    for (const char* name : {"oracle", "tasks", "run-options", "label-options"}) {
        if (!options.has(name)) continue;
        const bool is_path = std::string(name) == "oracle";
        words.push_back(std::string("--") + name + "=" +
                        (is_path ? std::filesystem::absolute(options.text(name)).string()
                                 : options.text(name)));
    }
    return words;
}

campaign::SubmitRequest submit_request(const Options& options) {
    using Mode = campaign::SubmitRequest::Mode;
    campaign::SubmitRequest request;
    request.campaign_path = campaign::campaign_file_of(options.text("campaign"));
    request.jobs_directory = jobs_directory(options);
    request.oracle_path = options.text("oracle");
    request.num_tasks = static_cast<std::int64_t>(options.count("tasks", {1, max_tasks}));
    request.run_options = words_of(options.text("run-options"));
    request.label_options = words_of(options.text("label-options"));
    request.again = words_again(options);
    request.mode = options.flag("dry-run") ? Mode::dry_run : Mode::submit;
    return request;
}

void show_status(const std::string& path, const std::string& json_path) {
    const campaign::CampaignStatus status = campaign::look_at_campaign(path);
    print_result(campaign::status_text(status));
    if (!json_path.empty()) publish_text_file(json_path, campaign::status_json(status));
}

}  // namespace

Command status_command() {
    return {status_spec(), [](const Options& options) {
                const std::string path = options.text("campaign");
                const std::string json_path = options.text("json");
                return [=](comm::Communicator&) {
                    show_status(campaign::campaign_file_of(path), json_path);
                };
            }};
}

Command submit_command() {
    return {submit_spec(), [](const Options& options) {
                const campaign::SubmitRequest request = submit_request(options);
                return [request](comm::Communicator&) {
                    print_result(campaign::submit_campaign(request));
                };
            }};
}

}  // namespace sluice::cli
