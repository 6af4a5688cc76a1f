#include "campaign/campaign_spec.hpp"

#include "campaign/campaign_file.hpp"
#include "campaign/campaign_keys.hpp"
#include "campaign/campaign_sections.hpp"
#include "campaign/rule_parameters.hpp"
#include "campaign/trainer_process.hpp"
#include "core/ini_file.hpp"
#include "core/text.hpp"

#include <cmath>

namespace sluice::campaign {
namespace {

// Rules that need what this campaign does not have could never hold.
void check_rules(const CampaignFile& file, const CampaignSpec& spec) {
    const StopRules& rules = spec.stop;
    const auto needs_test = [&](const char* key, const std::string& metric) {
        if (metric == "validation_loss") {
            if (!names_placeholder(spec.train_command, "predictions")) return;
            file.fail({"stop", key},
                      "validation_loss is not known where a training command writes "
                      "{predictions}; name a metric of the test set");
        }
        if (spec.test.is_there()) return;
        file.fail({"stop", key}, "there is no test set to measure '" + metric +
                                     "' on; add [test] with rows = N or labels = FILE");
    };
    if (rules.target) needs_test("target", rules.target->metric);
    if (rules.plateau) needs_test("plateau", rules.plateau->metric);
    const auto needs_classes = [&](const char* key) {
        if (spec.task.value_or(model::Task::classification) == model::Task::classification) return;
        file.fail({"stop", key},
                  "compares classes, which the model's head does not give; use "
                  "change or uncertainty");
    };
    if (rules.kappa) needs_classes("kappa");
    if (rules.delta_f) needs_classes("delta-f");
    const bool needs_set = rules.kappa || rules.delta_f || rules.change || rules.uncertainty;
    if (needs_set && spec.stop_set_rows == 0) {
        file.fail({"stop", "set"}, "rules that need it are set; give some rows");
    }
}

CampaignSpec read_values(const CampaignFile& file) {
    CampaignSpec spec;
    spec.path = file.path();
    read_campaign_section(file, spec);
    read_pool_section(file, spec);
    read_select_section(file, spec);
    read_start_section(file, spec);
    read_model_section(file, spec);
    read_pseudo_section(file, spec);
    read_label_section(file, spec);
    read_test_section(file, spec);
    read_stop_section(file, spec);
    check_rules(file, spec);
    spec.values = file.canonical();
    return spec;
}

}  // namespace

BatchStrategy CampaignSpec::strategy(std::int64_t round) const {
    if (is_start(round)) return {"random", start.strategy == "random" ? "none" : "k_center"};
    return select.schedule.of_round(round);
}

CampaignSpec read_campaign(const std::string& path) {
    return read_values(CampaignFile(read_ini_file(path), path));
}

CampaignSpec parse_campaign(const std::string& path, const std::string& text) {
    return read_values(CampaignFile(parse_ini(path, text), path));
}

std::map<std::string, std::string> science_of_round(const CampaignSpec& spec, std::int64_t round) {
    std::map<std::string, std::string> science;
    for (const CampaignKey& key : campaign_keys()) {
        const auto value = spec.values.find(key.section + "." + key.name);
        if (key.change == CampaignKey::Change::refused && value != spec.values.end()) {
            science.insert(*value);
        }
    }
    if (round == 0) return science;
    const BatchStrategy strategy = spec.strategy(round);
    science["select.score"] = strategy.score;
    science["select.diversify"] = strategy.diversity;
    // Only where they are used: rounds of older directories keep their science.
    const bool is_ranked = strategy.score != "random";
    if (is_ranked && spec.select.randomize != "none")
        science["select.randomize"] = spec.select.randomize;
    if (is_ranked && spec.select.price == select::Price::divides_score)
        science["select.per-cost"] = "yes";
    if (!spec.is_start(round)) {
        const select::DiversityParameters numbers =
            parameters_of(strategy.diversity, spec.select.parameters);
        if (!std::isnan(numbers.strength))
            science["select.strength"] = number_text(numbers.strength);
        if (!std::isnan(numbers.sigma)) science["select.sigma"] = number_text(numbers.sigma);
        if (!std::isnan(numbers.radius)) science["select.radius"] = number_text(numbers.radius);
        return science;
    }
    science["start.batch"] = std::to_string(spec.start.batch);
    science["start.shortlist"] = std::to_string(spec.start.shortlist);
    return science;
}

}  // namespace sluice::campaign
