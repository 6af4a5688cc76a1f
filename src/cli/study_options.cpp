#include "cli/study_options.hpp"

#include "cli/numbers.hpp"
#include "core/text.hpp"
#include "queue/layout.hpp"
#include "select/diversity.hpp"
#include "select/score_expression.hpp"
#include "select/similar_to.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace sluice::cli {
namespace {

constexpr double usual_shortlist_factor = 10.0;
constexpr double most_sketch_dim = 1 << 30;

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(separator, begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

double parse_factor(const std::string& text, const Options& options) {
    if (text == "all") return std::numeric_limits<double>::infinity();
    const std::optional<double> factor = parse_number(text);
    if (!factor || *factor < 1.0) {
        options.fail("strategy", "a shortlist of " + printable(text) +
                                     " batches; give a number from 1 up, or all");
    }
    return *factor;
}

void require_plain(const std::string& option, const std::string& name, const Options& options) {
    if (queue::is_plain_name(name)) return;
    options.fail(option, "'" + printable(name) +
                             "' cannot be a name; use letters, digits, '-', '_' and '.'");
}

bool is_noise(const std::string& word) {
    return word.starts_with("power") || word.starts_with("soft");
}

// A study's rows have features and costs, and no columns.
std::string score_of_study(const std::string& text, const Options& options) {
    const select::ScoreExpression score = select::parse_score(text);
    for (const std::string& source : score.sources) {
        if (source.starts_with("column:"))
            options.fail("strategy", "a study has no columns (" + printable(source) + ")");
        if (source == select::similarity_name)
            options.fail("strategy", "a study has no rows to be like (similarity)");
    }
    return score.text;
}

// on=NAME and sketch=K; whether it is one of them.
bool read_embedding_word(const std::string& word, study::Strategy& strategy,
                         const Options& options) {
    if (word.starts_with("on=")) {
        strategy.embedding.on = select::find_diversify_on(word.substr(3));
        return true;
    }
    if (!word.starts_with("sketch=")) return false;
    const std::optional<double> length = parse_number(word.substr(7));
    if (!length || *length < 1.0 || *length > most_sketch_dim || std::floor(*length) != *length) {
        options.fail("strategy", "a sketch of " + printable(word.substr(7)) +
                                     " numbers; give a whole number from 1 up");
    }
    strategy.embedding.sketch_dim = static_cast<std::int64_t>(*length);
    return true;
}

// groups=RULE and where=CONDITIONS; whether it is one of them.
bool read_row_word(const std::string& word, study::Strategy& strategy) {
    if (word.starts_with("groups=")) {
        strategy.items = select::parse_item_rule(word.substr(7));
        return true;
    }
    if (!word.starts_with("where=")) return false;
    strategy.conditions = select::parse_conditions(word.substr(6));
    return true;
}

void check_items(const study::Strategy& strategy, const Options& options) {
    if (!strategy.items.has_items()) return;
    if (strategy.count == study::Strategy::Count::distinct_rows)
        options.fail("strategy", "groups= and distinct: rows are compared, not items");
    if (strategy.price == study::Strategy::Price::divides_score)
        options.fail("strategy", "groups= and per_cost: a row's score is divided, not an item's");
}

// What follows the shortlist of a strategy: groups=RULE, where=CONDITIONS, distinct, per_cost,
// pseudo, noise, on=NAME, sketch=K, strength=X, sigma=X or radius=X.
void read_word(const std::string& word, study::Strategy& strategy, const Options& options) {
    if (word == "distinct") {
        strategy.count = study::Strategy::Count::distinct_rows;
        return;
    }
    if (word == "per_cost") {
        strategy.price = study::Strategy::Price::divides_score;
        return;
    }
    if (is_noise(word)) {
        strategy.randomization = select::parse_randomization(word);
        return;
    }
    if (word == "pseudo") {
        strategy.training = study::Strategy::Training::pseudo;
        return;
    }
    if (read_embedding_word(word, strategy, options) || read_row_word(word, strategy)) return;
    const std::string name = word.substr(0, word.find('='));
    select::DiversityParameters& parameters = strategy.diversity_parameters;
    double* const number = name == "strength" ? &parameters.strength
                           : name == "sigma"  ? &parameters.sigma
                           : name == "radius" ? &parameters.radius
                                              : nullptr;
    const std::optional<double> value =
        name == word ? std::nullopt : parse_number(word.substr(name.size() + 1));
    if (number == nullptr || !value) {
        options.fail("strategy", "not [NAME=]SCORE[/DIVERSIFY[/FACTOR[/WORD...]]] (" +
                                     printable(word) +
                                     "); write as in two_stage=margin/k_center/10");
    }
    *number = *value;
}

}  // namespace

study::Strategy parse_strategy(const std::string& text, const Options& options) {
    const std::size_t slash = std::min(text.find('/'), text.size());
    const std::size_t equals = text.substr(0, slash).find('=');
    const std::string words = equals == std::string::npos ? text : text.substr(equals + 1);
    const std::vector<std::string> parts = split(words, '/');
    study::Strategy strategy;
    strategy.name = text.substr(0, equals);
    if (equals == std::string::npos) {
        std::replace(strategy.name.begin(), strategy.name.end(), '/', '-');
        std::replace(strategy.name.begin(), strategy.name.end(), '=', '-');
    }
    require_plain("strategy", strategy.name, options);
    for (std::size_t i = 3; i < parts.size(); ++i)
        read_word(parts[i], strategy, options);
    check_items(strategy, options);
    strategy.score = score_of_study(parts[0], options);
    if (parts.size() > 1) strategy.diversity = select::find_diversity(parts[1]).name;
    select::check_parameters(select::find_diversity(strategy.diversity),
                             strategy.diversity_parameters);
    select::check_embedding(strategy.embedding, select::find_diversity(strategy.diversity));
    strategy.shortlist_factor = strategy.diversity == "none" ? 1.0 : usual_shortlist_factor;
    if (parts.size() > 2) strategy.shortlist_factor = parse_factor(parts[2], options);
    if (strategy.name == study::random_arm_name || strategy.name == study::all_labels_name) {
        options.fail("strategy", "every study has an arm '" + strategy.name +
                                     "' of its own; choose another name");
    }
    return strategy;
}

study::StudySource parse_data(const std::string& text, const Options& options) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) {
        options.fail("data", "not NAME=[POOL:]LABELS (" + printable(text) +
                                 "); write as in digits=digits.h5:hidden.h5");
    }
    study::StudySource source;
    source.name = text.substr(0, equals);
    require_plain("data", source.name, options);
    const std::string files = text.substr(equals + 1);
    const std::size_t colon = files.rfind(':');
    if (colon != std::string::npos) source.pool.files = {files.substr(0, colon)};
    source.labels_path = colon == std::string::npos ? files : files.substr(colon + 1);
    if (options.text("features") != "/features") {
        source.pool.datasets["features"] = options.text("features");
    }
    return source;
}

}  // namespace sluice::cli
