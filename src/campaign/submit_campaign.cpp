#include "campaign/submit_campaign.hpp"

#include "campaign/campaign_status.hpp"
#include "campaign/slurm.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "queue/layout.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <thread>

namespace sluice::campaign {
namespace {

// Carries from link to link where the campaign stood, and how many links found it there.
constexpr const char* chain_variable = "SLUICE_CHAIN";
constexpr int most_links_at_rest = 5;
constexpr int seconds_of_rest = 60;  // times links at rest: longer in all than a lost lease
constexpr std::chrono::seconds second_look(2);

std::string absolute_path(const std::string& path) {
    return std::filesystem::absolute(path).lexically_normal().string();
}

std::string environment_text(const char* name) {
    const char* text = std::getenv(name);
    return text == nullptr ? std::string() : text;
}

// Blanks and quotes for a shell that reads the line again.
std::string quoted(const std::string& word) {
    const bool is_plain = word.find_first_not_of(
                              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "-_=./,:%@+") == std::string::npos;
    if (is_plain && !word.empty()) return word;
    std::string text = "'";
    for (const char letter : word)
        text += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
    return text + "'";
}

// Everything that moves when a campaign does.
std::string standing(const CampaignStatus& status) {
    std::int64_t open = 0;
    for (const auto& [directory, count] : status.open_items)
        open += count;
    return fmt::format("{}; {} open", status.next_text, open);
}

// What the jobs call: what the user says, or this program.
std::string program() {
    const std::string own = environment_text("SLUICE");
    return own.empty() ? std::filesystem::read_symlink("/proc/self/exe").string()
                       : absolute_path(own);
}

class Chain {
  public:
    explicit Chain(const SubmitRequest& request)
        : request_(request),
          path_(absolute_path(request.campaign_path)),
          names_(slurm_names(path_)) {}

    std::string run() {
        status_ = look_at_campaign(path_);
        require(status_.spec.has_value(), ExitCode::bad_config, status_.damaged.front());
        if (status_.next == CampaignStatus::Next::nothing)
            return status_.next_text + "; nothing submitted\n";
        if (const auto job = job_of_chain())
            return fmt::format("job {} of this campaign is {}; nothing submitted\n", job->id,
                               job->state);
        const std::vector<std::string> lost = jobs_that_wait_for_nothing();
        const std::string oracle = oracle_path();
        const bool is_for_workers = status_.next == CampaignStatus::Next::label;
        if (is_for_workers && oracle.empty())
            return status_.next_text + ", for people, as there is no oracle; nothing submitted\n";
        note_progress();
        if (!lost.empty()) cancel(lost);
        std::vector<std::string> before;
        if (is_for_workers) {
            for (const auto& [directory, open] : status_.open_items)
                before.push_back(submit(label_words(directory, oracle, open)));
        }
        submit(run_words(before));
        return text_;
    }

  private:
    std::string oracle_path() const {
        const std::string& own = status_.spec->label.oracle_path;
        if (!request_.oracle_path.empty()) return absolute_path(request_.oracle_path);
        return own.empty() ? own : absolute_path(own);
    }

    // A link that waits or runs, other than the job around this process and those that wait for a
    // job that Slurm has lost.
    std::optional<SlurmJob> job_of_chain() const {
        const std::string own = environment_text("SLURM_JOB_ID");
        for (const SlurmJob& job : jobs_now()) {
            if (job.name == names_.run && job.id != own && job.lost.empty()) return job;
        }
        return std::nullopt;
    }

    const std::vector<SlurmJob>& jobs_now() const {
        static const std::vector<SlurmJob> none;
        return status_.slurm_jobs ? *status_.slurm_jobs : none;
    }

    // Looks twice: what has just ended is forgotten a moment before those that wait hear of it.
    std::vector<std::string> jobs_that_wait_for_nothing() {
        const auto are_lost = [&] {
            std::vector<std::string> ids;
            for (const SlurmJob& job : jobs_now()) {
                if (job.name == names_.run && !job.lost.empty()) ids.push_back(job.id);
            }
            return ids;
        };
        const std::vector<std::string> before = are_lost();
        if (before.empty()) return before;
        std::this_thread::sleep_for(second_look);
        status_.slurm_jobs = slurm_jobs(names_);
        require(are_lost() == before && !job_of_chain(), ExitCode::try_again,
                path_ + ": its jobs change right now; run the same command again");
        return before;
    }

    // Before anything is submitted, so that there are never two chains.
    void cancel(const std::vector<std::string>& ids) {
        text_ += fmt::format("scancel {}\n", fmt::join(ids, " "));
        if (request_.mode == SubmitRequest::Mode::submit) cancel_waiting(ids, names_);
    }

    void note_progress() {
        const std::string before = environment_text(chain_variable);
        const std::string now = standing(status_);
        const std::size_t bar = before.find('|');
        if (bar != std::string::npos && before.substr(bar + 1) == now)
            std::from_chars(before.data(), before.data() + bar, links_at_rest_);
        require(links_at_rest_ < most_links_at_rest, ExitCode::try_again,
                fmt::format("{}: {} jobs have left it where it was ({}); see their logs in {}, "
                            "then submit again",
                            path_, links_at_rest_, now, logs()));
        chain_ = fmt::format("{}|{}", links_at_rest_ + 1, now);
    }

    std::string logs() const { return queue::join(status_.spec->directory, "jobs"); }

    std::vector<std::string> words_of(const std::string& name, const std::string& log) const {
        std::vector<std::string> words = {"sbatch", "--parsable", "--job-name=" + name,
                                          "--output=" + absolute_path(logs() + "/" + log)};
        if (links_at_rest_ > 0)
            words.push_back(fmt::format("--begin=now+{}", links_at_rest_ * seconds_of_rest));
        return words;
    }

    std::vector<std::string> label_words(const std::string& queue, const std::string& oracle,
                                         std::int64_t open) const {
        std::vector<std::string> words = words_of(names_.label, "label-%A_%a.log");
        words.push_back(fmt::format("--array=0-{}", std::min(request_.num_tasks, open) - 1));
        words.insert(words.end(), request_.label_options.begin(), request_.label_options.end());
        for (const std::string& word :
             {request_.jobs_directory + "/label.sbatch", std::string("--queue"),
              absolute_path(queue), std::string("--oracle"), oracle})
            words.push_back(word);
        return words;
    }

    // Of two such jobs of a campaign the second waits for the first.
    std::vector<std::string> run_words(const std::vector<std::string>& before) const {
        std::vector<std::string> words = words_of(names_.run, "run-%j.log");
        words.push_back(before.empty() ? "--dependency=singleton"
                                       : fmt::format("--dependency=afterany:{},singleton",
                                                     fmt::join(before, ":")));
        words.insert(words.end(), request_.run_options.begin(), request_.run_options.end());
        words.push_back(request_.jobs_directory + "/campaign.sbatch");
        words.push_back(path_);
        words.insert(words.end(), request_.again.begin(), request_.again.end());
        return words;
    }

    // The job's number; without submitting, a name for it.
    std::string submit(const std::vector<std::string>& words) {
        ++num_jobs_;
        std::vector<std::string> shown;
        for (const std::string& word : words)
            shown.push_back(quoted(word));
        const std::string line = fmt::format("{}", fmt::join(shown, " "));
        if (request_.mode == SubmitRequest::Mode::dry_run) {
            text_ += line + "\n";
            return fmt::format("JOB{}", num_jobs_);
        }
        queue::create_folder(logs());
        const std::string id = submit_job(words, {{"SLUICE", program()},
                                                  {"SLUICE_JOBS", request_.jobs_directory},
                                                  {chain_variable, chain_}});
        text_ += fmt::format("job {}: {}\n", id, line);
        return id;
    }

    const SubmitRequest& request_;
    std::string path_;
    SlurmNames names_;
    CampaignStatus status_;
    std::string chain_;
    int links_at_rest_ = 0;  ///< that found the campaign where it stands
    std::string text_;
    int num_jobs_ = 0;
};

}  // namespace

std::string submit_campaign(const SubmitRequest& request) {
    return Chain(request).run();
}

}  // namespace sluice::campaign
