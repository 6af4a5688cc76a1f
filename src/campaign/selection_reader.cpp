#include "campaign/selection_reader.hpp"

#include "campaign/selection_balance.hpp"
#include "campaign/selection_inputs.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "select/row_condition.hpp"
#include "select/score_catalog.hpp"
#include "select/score_expression.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
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
        if (type == "BALANCE") {
            file_.balances.push_back(read_balance(input, strategy));
            return;
        }
        if (type == "SIMILARITY") return read_similarity(input, strategy);
        if (type == "TYPICALITY") return read_typicality(input, strategy);
        strategy.fail("type", "unknown strategy (" + printable(type) +
                                  "); use DIVERSITY, WEIGHTS, THRESHOLD, BALANCE, SIMILARITY or "
                                  "TYPICALITY");
    }

    void read_diversity(const Node& input, const Node& strategy) {
        strategy.allow({"type", "strength", "stopping_condition_minimum_distance"});
        need_input(input, strategy, {"EMBEDDINGS"});
        read_task(input);
        if (input.has("dataset_id"))
            input.fail("dataset_id", "diversity is of the pool's own features; leave it out");
        if (input.has("tag_name")) file_.center_tag = tag_of(input);
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

    // Embeddings of objects: those of a pool whose rows are the objects.
    void read_task(const Node& input) {
        if (!input.has("task")) return;
        const std::string task = input.text("task");
        if (!file_.task.empty() && file_.task != task)
            input.fail("task", "a second one (" + printable(task) + " after " +
                                   printable(file_.task) +
                                   "); the pool's rows are the objects of one task");
        file_.task = task;
        file_.task_place = input.place("task");
    }

    static std::string tag_of(const Node& input) {
        const std::string tag = input.text("tag_name");
        if (tag.empty() || tag.front() == '.' || tag.find('/') != std::string::npos)
            input.fail("tag_name", "'" + printable(tag) +
                                       "' can be no file's name, and a tag's rows are in "
                                       "the file of its name; rename the tag");
        return tag;
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
        read_task(input);
        if (file_.score.find(select::similarity_name) != std::string::npos)
            strategy.fail("type", "a second SIMILARITY; put all vectors into one file");
        if (input.has("dataset_id")) file_.similar_path = input.text("dataset_id");
        if (input.has("tag_name")) file_.similar_tag = tag_of(input);
        add_factor(select::similarity_name, strength_of(strategy));
    }

    void read_typicality(const Node& input, const Node& strategy) {
        strategy.allow({"type", "strength"});
        need_input(input, strategy, {"EMBEDDINGS"});
        read_task(input);
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
        if (!file_.balances.empty())
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

SelectionFile read_strategies(const Json& json, const std::string& path) {
    return Reader(path).read(json);
}

}  // namespace sluice::campaign
