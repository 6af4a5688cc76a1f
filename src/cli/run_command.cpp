#include "campaign/campaign_keys.hpp"
#include "campaign/run_campaign.hpp"
#include "cli/commands.hpp"
#include "cli/pool_options.hpp"
#include "cli/walltime_options.hpp"

#include <limits>

namespace sluice::cli {
namespace {

constexpr std::uint64_t max_rounds = std::numeric_limits<std::int32_t>::max();

// The keys of campaign.ini as help shows them.
std::vector<OptionSpec> file_keys() {
    std::vector<OptionSpec> keys;
    for (const campaign::CampaignKey& key : campaign::campaign_keys()) {
        OptionSpec option;
        option.name = key.section + " " + key.name;
        option.value_name = key.value_name;
        option.summary = key.summary;
        option.unit = key.unit;
        option.default_text = key.default_text;
        for (const std::string& choice : key.choices)
            option.choices.push_back({choice});
        if (key.kind == campaign::CampaignKey::Kind::list) option.kind = OptionSpec::Kind::list;
        keys.push_back(option);
    }
    return keys;
}

CommandSpec make_spec() {
    CommandSpec spec;
    spec.name = "run";
    spec.summary = "run a campaign: select, label, train, evaluate, decide, round by round";
    spec.usage = "--campaign FILE [OPTIONS]";
    spec.details =
        "Goes on from where the campaign stands; run it again after any interruption, kill -9 "
        "included, or when labels that were pending (exit code 75) are there. The models, batches, "
        "labels, metrics and curves are the same, byte for byte, however often it was interrupted "
        "and on however many ranks it ran; only timings.json, the queue's result files, order/ and "
        "provenance.json, and measured columns of label files differ. A changed campaign file is "
        "refused if it alters a round that has begun; rounds, stop rules, workers and what comes "
        "later may change.";
    spec.options = {
        {.name = "campaign",
         .value_name = "FILE",
         .summary = "INI file of the campaign (keys below); its folder is the campaign's",
         .need = OptionSpec::Need::required},
        {.name = "rounds",
         .value_name = "R",
         .summary = "end after so many rounds, in place of the file's",
         .unit = "rounds"},
        {.name = "dry-run",
         .value_name = "",
         .summary = "print the configuration, where the campaign stands, what comes next and what "
                    "the stop rules say of each round, and do nothing",
         .kind = OptionSpec::Kind::flag},
        threads_option(),
        device_option(),
        memory_option("buffers and the shortlist"),
    };
    for (const OptionSpec& option : walltime_options())
        spec.options.push_back(option);
    spec.options.push_back(config_option());
    spec.file_keys = file_keys();
    return spec;
}

campaign::RunRequest read_request(const Options& options) {
    using Mode = campaign::RunRequest::Mode;
    campaign::RunRequest request;
    request.campaign_path = options.text("campaign");
    if (options.has("rounds")) request.rounds = options.count("rounds", {1, max_rounds});
    request.mode = options.flag("dry-run") ? Mode::dry_run : Mode::run;
    request.machine.num_threads = num_threads(options);
    request.machine.device = device_choice(options);
    request.machine.memory_gib = options.positive_number("memory");
    return request;
}

}  // namespace

Command run_command() {
    return {make_spec(), [](const Options& options) {
                const campaign::RunRequest request = read_request(options);
                heed_walltime(options);
                return [request](comm::Communicator& world) {
                    campaign::run_campaign(request, world);
                };
            }};
}

}  // namespace sluice::cli
