#include "campaign/campaign_status.hpp"

#include "campaign/campaign_context.hpp"
#include "campaign/campaign_history.hpp"
#include "campaign/round_files.hpp"
#include "campaign/run_report.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "queue/layout.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <functional>

namespace sluice::campaign {
namespace {

using Json = nlohmann::ordered_json;

class Look {
  public:
    explicit Look(const std::string& path) {
        status_.path = path;
        attempt([&] { status_.spec = read_campaign(path); });
    }

    CampaignStatus run() {
        CampaignSpec spec = status_.spec.value_or(CampaignSpec());
        if (!status_.spec) spec.directory = std::filesystem::path(status_.path).parent_path();
        const CampaignContext context = context_of_files(std::move(spec));
        look_at_rounds(context);
        look_at_queue(context.test_queue());
        for (const Arm& arm : context.arms)
            look_at_queue(arm.queue());
        if (status_.next == CampaignStatus::Next::run && !status_.open_items.empty() &&
            context.spec.label.where == LabelSpec::Where::outside)
            status_.next = CampaignStatus::Next::label;
        return std::move(status_);
    }

  private:
    // What cannot be read is told of; the rest is looked at all the same.
    void attempt(const std::function<void()>& look) {
        try {
            look();
        } catch (const std::exception& error) {
            status_.damaged.emplace_back(error.what());
        }
    }

    void look_at_rounds(const CampaignContext& context) {
        std::vector<RoundRecord> history;
        for (std::int64_t number = context.spec.first_round();; ++number) {
            RoundStatus round = look_at_round(context, number);
            const bool is_there = queue::exists(context.active().round_directory(number));
            const std::optional<RoundRecord> record = round.record;
            if (is_there) status_.rounds.push_back(std::move(round));
            if (!record) return look_at_next(context, number);
            history.push_back(*record);
            const auto reason = decide(context.spec.stop, history);
            if (!reason) continue;
            status_.next = CampaignStatus::Next::nothing;
            status_.next_text = fmt::format("stopped after round {}: {}", number, *reason);
            return;
        }
    }

    RoundStatus look_at_round(const CampaignContext& context, std::int64_t number) {
        RoundStatus round;
        round.round = number;
        attempt([&] {
            if (const auto batch = read_batch(context.active(), number)) {
                round.batch = batch->id;
                round.chosen = batch->chosen;
            }
        });
        attempt([&] { round.record = stored_record(context, number); });
        attempt([&] { round.text = round_text(context, number); });
        return round;
    }

    void look_at_next(const CampaignContext& context, std::int64_t number) {
        std::string step = "unknown";
        attempt([&] { step = next_step(context, number); });
        status_.next_text = fmt::format("round {}: {}", number, step);
    }

    void look_at_queue(const std::string& directory) {
        if (!queue::exists(directory)) return;
        attempt([&] {
            const queue::QueueStatus status =
                queue::queue_status(directory, queue::LeaseClock::newest_file);
            std::int64_t open = 0;
            for (const auto& [state, count] : status.counts) {
                if (state == queue::ItemState::queued || state == queue::ItemState::leased)
                    open += count;
            }
            if (open > 0) status_.open_items[directory] = open;
            status_.queues[directory] = status;
        });
    }

    CampaignStatus status_;
};

std::string lost_text(const SlurmJob& job) {
    if (job.lost.empty()) return {};
    return fmt::format(
        "job {} waits for job {}, which Slurm has lost: 'sluice submit' cancels it "
        "and submits anew\n",
        job.id, fmt::join(job.lost, ", "));
}

std::string jobs_text(const CampaignStatus& status) {
    if (!status.slurm_jobs) return "jobs: Slurm is not here or does not answer\n";
    if (status.slurm_jobs->empty()) return "jobs: none in Slurm\n";
    std::string text;
    for (const SlurmJob& job : *status.slurm_jobs)
        text += fmt::format("job {} {} {} {}\n", job.id, job.name, job.state, job.place) +
                lost_text(job);
    return text;
}

const char* next_name(CampaignStatus::Next next) {
    if (next == CampaignStatus::Next::nothing) return "nothing";
    return next == CampaignStatus::Next::label ? "label" : "run";
}

Json round_json(const RoundStatus& round) {
    Json json = {{"round", round.round}, {"complete", round.record.has_value()}};
    if (!round.batch.empty()) {
        json["batch"] = round.batch;
        json["chosen"] = round.chosen;
    }
    if (!round.record) return json;
    json["labels"] = round.record->labels;
    json["cost"] = round.record->cost;
    json["seconds"] = round.record->seconds;
    json["metrics"] = round.record->metrics;
    return json;
}

Json jobs_json(const std::optional<std::vector<SlurmJob>>& jobs) {
    if (!jobs) return {};
    Json json = Json::array();
    for (const SlurmJob& job : *jobs) {
        json.push_back({{"id", job.id},
                        {"name", job.name},
                        {"state", job.state},
                        {"place", job.place},
                        {"lost", job.lost}});
    }
    return json;
}

}  // namespace

std::string campaign_file_of(const std::string& file_or_directory) {
    std::error_code error;
    std::string path = file_or_directory;
    if (std::filesystem::is_directory(path, error)) path += "/campaign.ini";
    require(std::filesystem::exists(path, error), ExitCode::no_input,
            path + ": is not there; give a campaign's file or its directory");
    return path;
}

CampaignStatus look_at_campaign(const std::string& campaign_path) {
    CampaignStatus status = Look(campaign_path).run();
    status.slurm_jobs = slurm_jobs(slurm_names(campaign_path));
    return status;
}

std::string status_text(const CampaignStatus& status) {
    std::string text = "campaign " + printable(status.path) + "\n";
    for (const RoundStatus& round : status.rounds)
        text += round.text;
    text += status.next_text + "\n";
    for (const auto& [directory, queue] : status.queues)
        text += "queue " + printable(directory) + ": " + queue::status_text(queue);
    for (const std::string& line : status.damaged)
        text += "damaged: " + printable(line) + "\n";
    return text + jobs_text(status);
}

std::string status_json(const CampaignStatus& status) {
    Json json = {{"campaign", printable(status.path)},
                 {"next", next_name(status.next)},
                 {"next_text", printable(status.next_text)},
                 {"rounds", Json::array()},
                 {"queues", Json::object()},
                 {"damaged", Json::array()},
                 {"jobs", jobs_json(status.slurm_jobs)}};
    for (const RoundStatus& round : status.rounds)
        json["rounds"].push_back(round_json(round));
    for (const auto& [directory, queue] : status.queues)
        json["queues"][printable(directory)] = Json::parse(queue::status_json(queue));
    for (const std::string& line : status.damaged)
        json["damaged"].push_back(printable(line));
    return json.dump(2) + "\n";
}

}  // namespace sluice::campaign
