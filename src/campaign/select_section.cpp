#include "campaign/campaign_sections.hpp"
#include "campaign/rule_parameters.hpp"
#include "core/text.hpp"
#include "queue/layout.hpp"
#include "select/embedding.hpp"
#include "select/two_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace sluice::campaign {
namespace {

constexpr std::int64_t max_count = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t max_rows = std::int64_t{1} << 48;
constexpr double max_number = 1e300;
constexpr double least_positive = std::numeric_limits<double>::min();

// What `parse` makes of the key's text; what it finds wrong is the key's error.
template <typename Parse>
auto parsed(const CampaignFile& file, const KeyName& key, const Parse& parse) {
    try {
        return parse(file.text(key));
    } catch (const Error& error) {
        file.fail(key, error.what());
    }
}

BatchStrategy usual_strategy(const CampaignFile& file) {
    const auto find_name = [](const std::string& name) {
        return select::find_diversity(name).name;
    };
    return {parsed(file, {"select", "score"}, select::canonical_score),
            parsed(file, {"select", "diversify"}, find_name)};
}

// The numbers of rules: each must be of use to the rule of some round.
void read_parameters(const CampaignFile& file, SelectSpec& spec) {
    const auto read = [&](const char* name, double low, double& value) {
        const std::optional<double> given = file.number({"select", name}, low, max_number);
        if (!given) return;
        value = *given;
        const std::vector<BatchStrategy> strategies = spec.schedule.strategies();
        if (std::ranges::any_of(strategies, [&](const BatchStrategy& strategy) {
                return takes_parameter(strategy.diversity, name);
            }))
            return;
        file.fail({"select", name}, "diversify " + strategies.front().diversity +
                                        " does not use it, nor does any rule of the schedule; "
                                        "leave it out");
    };
    read("strength", 0.0, spec.parameters.strength);
    read("sigma", least_positive, spec.parameters.sigma);
    read("radius", least_positive, spec.parameters.radius);
}

// What distances are of; it must go with the rules of all rounds with a model.
void read_embedding(const CampaignFile& file, SelectSpec& spec) {
    const KeyName key{"select", "diversify-on"};
    if (file.has(key)) spec.diversify_on = file.text(key);
    if (file.has({"select", "sketch-dim"}))
        spec.sketch_dim = file.count_or_auto({"select", "sketch-dim"}, 1, max_count).value_or(0);
    const select::EmbeddingRule rule{select::find_diversify_on(spec.diversify_on), spec.sketch_dim};
    if (rule.on == select::DiversifyOn::features) {
        if (rule.sketch_dim > 0)
            file.fail({"select", "sketch-dim"},
                      "features are not sketched; use it with diversify-on = gradients or "
                      "covariance");
        return;
    }
    if (select::needs_model(rule.on) && spec.input != "model")
        file.fail(key, "gradients are of the campaign's model; use input = model");
    for (const BatchStrategy& strategy : spec.schedule.strategies()) {
        if (strategy.score == "random" || strategy.diversity == "none") continue;
        try {
            select::check_embedding(rule, select::find_diversity(strategy.diversity));
        } catch (const Error& error) {
            file.fail(key, error.what());
        }
    }
}

std::string known_conditions(const CampaignFile& file) {
    return parsed(file, {"select", "where"}, [](const std::string& text) {
        return select::conditions_text(select::parse_conditions(text));
    });
}

void read_items(const CampaignFile& file, SelectSpec& spec) {
    const KeyName key{"select", "groups"};
    if (file.has(key)) {
        spec.items = parsed(file, key, [](const std::string& text) {
            return select::parse_item_rule(text).text();
        });
    }
    if (file.has({"select", "batch-instances"}))
        spec.batch_instances = file.count({"select", "batch-instances"}, 1, max_rows);
    if (!spec.has_items() && spec.batch_instances > 0)
        file.fail({"select", "batch-instances"},
                  "instances are rows of items; give groups = RULE too");
    if (!spec.has_items()) return;
    if (spec.copies == select::Copies::drop)
        file.fail(key, "cannot be used with distinct = yes: rows are compared, not items");
    if (spec.price == select::Price::divides_score)
        file.fail(key,
                  "cannot be used with per-cost = yes: a row's score is divided, not an "
                  "item's; batch-cost keeps items to a budget");
}

}  // namespace

void read_select_section(const CampaignFile& file, CampaignSpec& campaign) {
    SelectSpec& spec = campaign.select;
    spec.batch = file.count({"select", "batch"}, 1, max_count);
    spec.batch_cost = file.number({"select", "batch-cost"}, 1e-300, max_number).value_or(0.0);
    spec.schedule = Schedule::parse(file.text({"select", "schedule"}), usual_strategy(file),
                                    file.path() + ": [select] schedule");
    spec.shortlist = file.count_or_auto({"select", "shortlist"}, 1, max_rows).value_or(0);
    if (spec.shortlist != 0 && spec.shortlist < spec.batch) {
        file.fail({"select", "shortlist"},
                  fmt::format("smaller than the batch ({} < {}); give at least as many rows",
                              spec.shortlist, spec.batch));
    }
    if (const auto high = file.number({"select", "max-score"}, -3e38, 3e38)) {
        spec.trust.high = static_cast<float>(*high);
    }
    if (const auto low = file.number({"select", "min-score"}, -3e38, 3e38)) {
        spec.trust.low = static_cast<float>(*low);
    }
    read_parameters(file, spec);
    spec.where = known_conditions(file);
    spec.randomize = parsed(file, {"select", "randomize"}, [](const std::string& text) {
        return select::parse_randomization(text).text();
    });
    spec.price = file.text({"select", "per-cost"}) == "yes" ? select::Price::divides_score
                                                            : select::Price::ignored;
    spec.metric = file.text({"select", "metric"});
    spec.input = file.text({"select", "input"});
    read_embedding(file, spec);
    spec.copies =
        file.text({"select", "distinct"}) == "yes" ? select::Copies::drop : select::Copies::keep;
    read_items(file, spec);
    spec.ticket_items = file.count_or_auto({"select", "ticket-items"}, 1, max_count).value_or(0);
    spec.tag = file.text({"select", "tag"});
    if (!spec.tag.empty() && !queue::is_plain_name(spec.tag)) {
        file.fail({"select", "tag"}, "'" + printable(spec.tag) +
                                         "' cannot be a tag; use letters, digits, '-', '_', '.'");
    }
}

}  // namespace sluice::campaign
