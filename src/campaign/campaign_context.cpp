#include "campaign/campaign_context.hpp"

#include "campaign/round_files.hpp"
#include "core/directory.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/sha256.hpp"
#include "core/temporary_name.hpp"
#include "core/text.hpp"
#include "labels/label_files.hpp"
#include "labels/labeled_rows.hpp"
#include "labels/labels_directory.hpp"
#include "queue/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace sluice::campaign {
namespace {

constexpr const char* pool_content = "pool.file (what it holds)";
constexpr std::size_t most_label_bytes = std::size_t{4} << 30;

// Of the labels behind a path, all files together.
std::string labels_hash(const std::string& path) {
    Sha256 hash;
    for (const std::string& file : labels::label_files(path))
        hash.update(read_text_file(file, most_label_bytes));
    return hash.hex_digest();
}

std::vector<Arm> arms_of(const CampaignSpec& spec) {
    std::vector<Arm> arms = {{"active", spec.directory, spec.first_round()}};
    if (spec.has_random_arm) {
        arms.push_back({"random", spec.directory + "/random", spec.start.rounds + 1});
    }
    return arms;
}

void make_places(const CampaignContext& context) {
    for (const Arm& arm : context.arms) {
        make_directories(arm.directory + "/models");
        make_directories(arm.directory + "/rounds");
        labels::open_labels_directory(arm.labels());
    }
    if (context.spec.test.rows > 0) {
        make_directories(context.spec.directory + "/test");
        labels::open_labels_directory(context.test_labels());
    }
}

// What a run that was killed was writing.
void clear_places(const CampaignContext& context) {
    remove_temporaries(context.spec.directory + "/test");
    remove_temporaries(context.test_queue());
    for (const Arm& arm : context.arms) {
        remove_temporaries(arm.directory);
        remove_temporaries(arm.queue());
        remove_temporaries(arm.directory + "/models");
        remove_temporaries(arm.directory + "/pseudo");
        for (const std::string& round : list_directory(arm.directory + "/rounds"))
            remove_temporaries(arm.directory + "/rounds/" + round);
    }
}

void read_oracle(CampaignContext& context) {
    const CampaignSpec& spec = context.spec;
    if (spec.label.where == LabelSpec::Where::outside) return;
    context.oracle = oracle::read_spec(spec.label.oracle_path);
    const std::string& tag = spec.select.tag;
    require(tag.empty() || std::ranges::count(context.oracle->tags, tag) > 0, ExitCode::bad_config,
            spec.path + ": [select] tag: " + spec.label.oracle_path + " does not have the tag '" +
                tag +
                "', so it may not take the batches; add it there, or write [label] where = "
                "outside");
}

void read_contents(CampaignContext& context) {
    const CampaignSpec& spec = context.spec;
    if (!spec.start.labels.empty()) {
        context.content["start.labels (what they hold)"] = labels_hash(spec.start.labels);
    }
    if (!spec.test.labels.empty()) {
        context.content["test.labels (what they hold)"] = labels_hash(spec.test.labels);
    }
}

std::string shown(const std::map<std::string, std::string>& values, const std::string& key) {
    const auto found = values.find(key);
    return found == values.end() ? "not set" : "'" + printable(found->second) + "'";
}

// The first key that differs, or nothing.
std::optional<std::string> difference(const std::map<std::string, std::string>& before,
                                      const std::map<std::string, std::string>& now) {
    std::set<std::string> keys;
    for (const auto& values : {before, now}) {
        for (const auto& [key, value] : values)
            keys.insert(key);
    }
    for (const std::string& key : keys) {
        if (shown(before, key) != shown(now, key)) return key;
    }
    return std::nullopt;
}

// Labels of two oracles would not belong together. While a round has no labels the oracle may be
// mended.
void require_same_oracle(const CampaignContext& context, std::int64_t round) {
    const std::optional<RoundVersions> versions = read_versions(context.active(), round);
    if (!versions || versions->oracle.empty() || !context.oracle) return;
    require(
        versions->oracle == context.oracle->hash, ExitCode::bad_config,
        fmt::format("{}: says something else (hash {}) than when it labeled round {} (hash {}); "
                    "put it back, or begin another campaign in another directory",
                    context.spec.label.oracle_path, context.oracle->hash, round, versions->oracle));
}

}  // namespace

std::vector<labels::LabelSource> CampaignContext::labels(const Arm& arm,
                                                         std::int64_t last_round) const {
    std::vector<labels::LabelSource> sources;
    // A directory without a generation, because all items failed, is no source.
    const auto add = [&](const Arm& from, std::int64_t first, std::int64_t last) {
        if (first > last || labels::generation_numbers(from.labels()).empty()) return;
        sources.push_back({from.labels(), first, last});
    };
    if (!spec.start.labels.empty()) sources.push_back({spec.start.labels});
    if (&arm != &active()) add(active(), 1, std::min(arm.first_round - 1, last_round));
    add(arm, std::max<std::int64_t>(arm.first_round, 1), last_round);
    return sources;
}

std::map<std::string, std::string> CampaignContext::science(std::int64_t round) const {
    std::map<std::string, std::string> all = science_of_round(spec, round);
    all.insert(content.begin(), content.end());
    return all;
}

CampaignContext context_of_files(CampaignSpec spec) {
    CampaignContext context;
    context.spec = std::move(spec);
    context.arms = arms_of(context.spec);
    return context;
}

CampaignContext open_campaign(CampaignSpec spec, Access access, comm::Communicator& world) {
    CampaignContext context = context_of_files(std::move(spec));
    world.agree([&] {
        read_oracle(context);
        if (!world.is_root()) return;
        read_contents(context);
        if (access == Access::look) return;
        make_places(context);
        clear_places(context);
    });
    context.pool = pool::open_pool(context.spec.pool, world);
    context.fingerprint = pool::fingerprint(context.pool, world);
    context.content[pool_content] = context.fingerprint;
    if (!context.spec.start.labels.empty()) {
        context.num_given = std::ssize(
            labels::read_labeled_rows({{context.spec.start.labels}}, context.pool.num_rows, world));
    }
    world.agree([&] {
        if (!world.is_root()) return;
        context.stop_set =
            draw_stop_set(context.pool, context.spec.seed, context.spec.stop_set_rows);
        require_same_science(context);
    });
    return context;
}

void require_same_science(const CampaignContext& context) {
    for (std::int64_t round = context.spec.first_round();; ++round) {
        const std::optional<RoundPlan> plan = read_plan(context.active(), round);
        if (!plan) return;
        require_same_oracle(context, round);
        const std::map<std::string, std::string> now = context.science(round);
        const std::optional<std::string> key = difference(plan->science, now);
        if (!key) continue;
        throw Error(ExitCode::bad_config,
                    fmt::format("{}: {} is {}, but was {} when round {} began; put it back, or "
                                "begin another campaign in another directory",
                                context.spec.path, *key, shown(now, *key),
                                shown(plan->science, *key), round));
    }
}

}  // namespace sluice::campaign
