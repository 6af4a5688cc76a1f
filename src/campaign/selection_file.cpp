#include "campaign/selection_file.hpp"

#include "campaign/json_node.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/path_status.hpp"
#include "core/text.hpp"
#include "select/row_condition.hpp"
#include "select/score_catalog.hpp"
#include "select/score_expression.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <map>

namespace sluice::campaign {
namespace {

using Json = nlohmann::ordered_json;
using Node = JsonNode;

constexpr double most_embedding_distance = 2.0;  // of vectors of unit length

class Reader {
  public:
    explicit Reader(std::string path) { file_.path = std::move(path); }

    SelectionFile read(const Json& json) {
        const Node root(json, file_.path);
        root.allow(
            {"n_samples", "nSamples", "proportion_samples", "proportionSamples", "strategies"});
        read_size(root);
        if (!root.has("strategies") || !root.json().at("strategies").is_array())
            root.fail("strategies", "missing; give a list of {input, strategy}");
        const Json& strategies = root.json().at("strategies");
        if (strategies.empty()) root.fail("strategies", "is empty; give one at least");
        for (std::size_t i = 0; i < strategies.size(); ++i)
            read_strategy({strategies.at(i), fmt::format("{}: strategies[{}]", file_.path, i)});
        finish();
        return std::move(file_);
    }

  private:
    void read_size(const Node& root) {
        std::vector<std::string> given;
        for (const char* key : {"n_samples", "nSamples", "proportion_samples", "proportionSamples"})
            if (root.has(key)) given.emplace_back(key);
        if (given.size() > 1)
            root.fail(given[1], "given beside " + given[0] + "; give one of the two");
        if (given.empty()) return;
        const double value = root.number(given[0]);
        if (given[0].starts_with('n')) {
            if (!(value >= 1.0 && value <= 0x1p31 - 1.0 && value == std::floor(value)))
                root.fail(given[0], number_text(value) + " is no number of rows; give at least 1");
            file_.num_samples = static_cast<std::int64_t>(value);
        } else {
            if (!(value > 0.0 && value <= 1.0))
                root.fail(given[0], number_text(value) +
                                        " is no share of the pool; give a number "
                                        "above 0, at most 1");
            file_.proportion = value;
        }
    }

    void read_strategy(const Node& entry) {
        entry.allow({"input", "strategy"});
        const Node input = entry.object("input");
        const Node strategy = entry.object("strategy");
        const std::string from = input.text("type");
        const std::string type = strategy.text("type");
        allow_input(input, from);
        if (type == "DIVERSITY" || type == "DIVERSIFY") return read_diversity(input, strategy);
        if (type == "WEIGHTS") return read_weights(input, strategy);
        if (type == "THRESHOLD") return read_threshold(input, strategy);
        if (type == "BALANCE") return read_balance(input, strategy);
        if (type == "SIMILARITY") return read_similarity(input, strategy);
        if (type == "TYPICALITY") return read_typicality(input, strategy);
        strategy.fail("type", "unknown strategy (" + printable(type) +
                                  "); use DIVERSITY, WEIGHTS, THRESHOLD, BALANCE, SIMILARITY or "
                                  "TYPICALITY");
    }

    static void allow_input(const Node& input, const std::string& from) {
        if (from == "EMBEDDINGS") return input.allow({"type", "task", "dataset_id", "tag_name"});
        if (from == "SCORES") return input.allow({"type", "task", "score"});
        if (from == "METADATA") return input.allow({"type", "key"});
        if (from == "PREDICTIONS") return input.allow({"type", "task", "name", "categories"});
        if (from == "RANDOM") return input.allow({"type", "random_seed"});
        input.fail("type", "unknown input (" + printable(from) +
                               "); use EMBEDDINGS, SCORES, METADATA, PREDICTIONS or RANDOM");
    }

    static void need_input(const Node& input, const Node& strategy,
                           std::initializer_list<const char*> types) {
        const std::string from = input.text("type");
        if (std::any_of(types.begin(), types.end(), [&](const char* type) { return from == type; }))
            return;
        strategy.fail("type", strategy.text("type") + " of " + from + " is not supported");
    }

    // 1 unless given; never 0, which would leave nothing of the strategy.
    static double strength_of(const Node& strategy) {
        const double strength = strategy.has("strength") ? strategy.number("strength") : 1.0;
        if (strength == 0.0)
            strategy.fail("strength", "0 leaves nothing of the strategy; leave it out");
        return strength;
    }

    static double positive_strength_of(const Node& strategy) {
        const double strength = strength_of(strategy);
        if (strength < 0.0)
            strategy.fail("strength", number_text(strength) + " would turn " +
                                          strategy.text("type") +
                                          " round, for which there is no rule; give a number > 0");
        return strength;
    }

    void read_diversity(const Node& input, const Node& strategy) {
        strategy.allow({"type", "strength", "stopping_condition_minimum_distance"});
        need_input(input, strategy, {"EMBEDDINGS"});
        refuse_task(input);
        if (input.has("dataset_id") || input.has("tag_name"))
            input.fail(input.has("dataset_id") ? "dataset_id" : "tag_name",
                       "diversity is of the pool's own features; leave it out");
        if (file_.is_diverse)
            strategy.fail("type", "a second DIVERSITY; the pool has one set of features");
        file_.is_diverse = true;
        diversity_strength_ = positive_strength_of(strategy);
        const std::string key = "stopping_condition_minimum_distance";
        if (!strategy.has(key)) return;
        const double distance = strategy.number(key);
        if (distance < 0.0 || distance > most_embedding_distance)
            strategy.fail(key, number_text(distance) +
                                   " is no distance of vectors of length 1; "
                                   "give a number from 0 to 2");
        file_.min_distance = distance * distance / 2.0;  // 1 - cosine
    }

    static void refuse_task(const Node& input) {
        if (input.has("task"))
            input.fail("task",
                       "a pool has no embeddings of objects; make them its rows, with "
                       "groups, and leave out the task");
    }

    static std::string column_of(const Node& input, const std::string& key) {
        const std::string name = input.text(key);
        if (name.empty() || name.find_first_of(" \t+*/^(),<>=!") != std::string::npos)
            input.fail(key, "'" + printable(name) +
                                "' cannot be written in a score or condition; rename the column");
        return "column:" + name;
    }

    static bool is_catalog_score(const std::string& name) {
        const auto& catalog = select::score_catalog();
        return std::any_of(catalog.begin(), catalog.end(), [&](const select::CatalogScore& score) {
            return score.name == name ||
                   std::count(score.aliases.begin(), score.aliases.end(), name) > 0;
        });
    }

    void add_factor(const std::string& name, double strength) {
        if (!file_.score.empty()) file_.score += "*";
        file_.score += name;
        if (strength != 1.0) file_.score += "^" + number_text(strength);
    }

    void read_weights(const Node& input, const Node& strategy) {
        strategy.allow({"type", "strength"});
        need_input(input, strategy, {"SCORES", "METADATA", "RANDOM"});
        const std::string from = input.text("type");
        std::string name = "random";
        if (from == "METADATA") name = column_of(input, "key");
        if (from == "SCORES") {
            name = input.text("score");
            if (!is_catalog_score(name)) name = column_of(input, "score");
        }
        if (from == "RANDOM" && input.has("random_seed")) {
            const double seed = input.number("random_seed");
            if (!(seed >= 0.0 && seed < 0x1p53 && seed == std::floor(seed)))
                input.fail("random_seed", "is no whole number from 0 to 2^53 - 1");
            if (file_.seed) input.fail("random_seed", "a second seed; give one");
            file_.seed = static_cast<std::uint64_t>(seed);
        }
        add_factor(name, strength_of(strategy));
    }

    void read_similarity(const Node& input, const Node& strategy) {
        strategy.allow({"type", "strength"});
        need_input(input, strategy, {"EMBEDDINGS"});
        refuse_task(input);
        if (file_.score.find(select::similarity_name) != std::string::npos)
            strategy.fail("type", "a second SIMILARITY; put all vectors into one file");
        if (input.has("dataset_id")) file_.similar_path = input.text("dataset_id");
        add_factor(select::similarity_name, strength_of(strategy));
    }

    void read_typicality(const Node& input, const Node& strategy) {
        strategy.allow({"type", "strength"});
        need_input(input, strategy, {"EMBEDDINGS"});
        refuse_task(input);
        add_factor("knn_density", strength_of(strategy));
    }

    void read_threshold(const Node& input, const Node& strategy) {
        strategy.allow({"type", "threshold", "operation"});
        need_input(input, strategy, {"SCORES", "METADATA"});
        const std::string key = input.text("type") == "SCORES" ? "score" : "key";
        if (key == "score" && is_catalog_score(input.text(key)))
            input.fail(key, "a threshold needs numbers that the pool stores; give '" +
                                printable(input.text(key)) + "' as a column of another name");
        static const std::map<std::string, std::string> signs = {
            {"SMALLER", "<"},       {"SMALLER_EQUAL", "<="}, {"BIGGER", ">"},
            {"BIGGER_EQUAL", ">="}, {"EQUAL", "=="},         {"NOT_EQUAL", "!="}};
        const auto sign = signs.find(strategy.text("operation"));
        if (sign == signs.end())
            strategy.fail("operation", "unknown (" + printable(strategy.text("operation")) +
                                           "); use SMALLER, SMALLER_EQUAL, BIGGER, BIGGER_EQUAL, "
                                           "EQUAL or NOT_EQUAL");
        if (!file_.conditions.empty()) file_.conditions += ", ";
        file_.conditions += column_of(input, key) + " " + sign->second + " " +
                            number_text(strategy.number("threshold"));
    }

    void read_balance(const Node& input, const Node& strategy) {
        strategy.allow({"type", "strength", "target", "distribution"});
        need_input(input, strategy, {"METADATA", "PREDICTIONS"});
        static_cast<void>(positive_strength_of(strategy));
        if (file_.class_mix.kind != select::ClassMix::Kind::none)
            strategy.fail("type", "a second BALANCE; a batch can be balanced by one thing");
        if (input.text("type") == "METADATA") file_.class_by = "column:" + input.text("key");
        if (input.has("name") && input.text("name") != "CLASS_DISTRIBUTION")
            input.fail("name",
                       "unknown (" + printable(input.text("name")) + "); use CLASS_DISTRIBUTION");
        if (input.has("categories"))
            input.fail("categories", "rows have one predicted class; leave it out");
        file_.class_mix = mix_of(strategy);
    }

    static select::ClassMix mix_of(const Node& strategy) {
        using Kind = select::ClassMix::Kind;
        const std::string distribution =
            strategy.has("distribution") ? strategy.text("distribution") : "TARGET";
        if (distribution != "TARGET" && strategy.has("target"))
            strategy.fail("target", "given beside distribution " + printable(distribution));
        if (distribution == "UNIFORM") return {Kind::uniform, {}};
        if (distribution == "INPUT") return {Kind::as_pool, {}};
        if (distribution != "TARGET")
            strategy.fail("distribution", "unknown (" + printable(distribution) +
                                              "); use TARGET, UNIFORM or INPUT");
        const Node target = strategy.object("target");
        select::ClassMix mix{Kind::balance, {}};
        for (const auto& [name, value] : target.json().items()) {
            const double share = target.number(name);
            if (share < 0.0)
                target.fail(printable(name), number_text(share) + " is below 0; give a share");
            if (share > 0.0) mix.targets.push_back({name, share});
        }
        if (mix.targets.empty()) strategy.fail("target", "names no class");
        const std::string wrong = select::what_is_wrong(mix);
        if (!wrong.empty()) strategy.fail("target", "asks for " + wrong);
        return mix;
    }

    // What only the whole of the strategies tells.
    void finish() {
        const bool has_score = !file_.score.empty();
        if (!has_score) file_.score = "random";
        check("strategies", [&] { static_cast<void>(select::parse_score(file_.score)); });
        check("strategies", [&] { static_cast<void>(select::parse_conditions(file_.conditions)); });
        // distance^2 / 2 times score^(2 w / d) is ordered as distance^d times score^w.
        if (file_.is_diverse && has_score) file_.strength = 2.0 / diversity_strength_;
        file_.options = {"score", "diversify", "strength", "metric"};
        if (!file_.conditions.empty()) file_.options.emplace_back("where");
        if (file_.min_distance > 0.0) file_.options.emplace_back("min-distance");
        if (file_.class_mix.kind != select::ClassMix::Kind::none)
            for (const char* name : {"class-by", "balance", "quota"})
                file_.options.emplace_back(name);
    }

    // What a parser says of its option, said of the file.
    template <typename Step>
    void check(const std::string& key, const Step& step) const {
        try {
            step();
        } catch (const Error& error) {
            const std::string what = error.what();
            const std::size_t colon = what.starts_with("--") ? what.find(": ") + 2 : 0;
            throw Error(ExitCode::bad_config, file_.path + ": " + key + ": " + what.substr(colon));
        }
    }

    SelectionFile file_;
    double diversity_strength_ = 1.0;
};

}  // namespace

SelectionFile parse_selection(const std::string& text, const std::string& path) {
    return Reader(path).read(parse_json_file(text, path));
}

SelectionFile read_selection_file(const std::string& path) {
    return parse_selection(read_text_file(path), path);
}

void apply_selection(const SelectionFile& file, const Overrides& given, SelectRequest& request) {
    constexpr std::int64_t everything = std::int64_t{1} << 48;
    if (!given.batch) {
        require(file.num_samples > 0 || file.proportion > 0.0, ExitCode::bad_config,
                file.path + ": n_samples: missing; give it, proportion_samples, or --batch");
        request.plan.batch_size = file.num_samples;
        request.batch_share = file.proportion;
        request.selection_path = file.path;
    }
    request.plan.score = file.score;
    request.plan.diversity = file.is_diverse ? "k_center" : "none";
    request.plan.diversity_parameters.strength = file.strength;
    request.plan.metric = "cosine";
    request.plan.conditions = file.conditions.empty() ? request.plan.conditions : file.conditions;
    request.plan.min_distance = std::max(request.plan.min_distance, file.min_distance);
    request.plan.weights = select::Weights::not_negative;
    if (file.class_mix.kind != select::ClassMix::Kind::none) {
        request.plan.class_mix = file.class_mix;
        request.plan.class_by = file.class_by;
    }
    if (!given.shortlist) request.plan.shortlist_size = everything;
    if (!given.seed && file.seed) request.plan.seed = *file.seed;
    const bool is_similar = file.score.find(select::similarity_name) != std::string::npos;
    if (!is_similar || !request.similar_path.empty()) return;
    require(!file.similar_path.empty() && path_status(file.similar_path, Links::follow).has_value(),
            ExitCode::bad_config,
            file.path +
                ": SIMILARITY: input.dataset_id names no file; give the vectors with "
                "--similar-to FILE");
    request.similar_path = file.similar_path;
}

}  // namespace sluice::campaign
