#include "select/score_expression.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "select/score_catalog.hpp"
#include "select/similar_to.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

namespace sluice::select {
namespace {

constexpr std::string_view column_prefix = "column:";
constexpr std::string_view ends_of_columns = " \t+*/^()";
constexpr std::string_view ends_of_names = " \t+-*/^()";

// One factor as it is written: a number or a name, and where it stands in the canonical text.
struct WrittenFactor {
    std::string name;  // canonical; empty: a number
    double number = 1.0;
    double strength = 1.0;
};

class Parser {
  public:
    explicit Parser(std::string_view text) : all_(text), rest_(text) {}

    ScoreExpression parse() {
        read_term();
        while (take('+'))
            read_term();
        if (!at_end()) fail(rest_.front() == '-' ? minus_message : "expected + , * , / or ^");
        return std::move(expression_);
    }

  private:
    static constexpr const char* minus_message =
        "terms are added with positive weights; take a negative strength (^-1) or another score";

    [[noreturn]] void fail(const std::string& what) const {
        throw Error(ExitCode::usage, "--score: '" + printable(all_) + "': " + what +
                                         (rest_.empty() || rest_.size() == all_.size()
                                              ? ""
                                              : ", at '" + printable(rest_) + "'"));
    }

    void skip_blanks() {
        while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t'))
            rest_.remove_prefix(1);
    }
    bool at_end() {
        skip_blanks();
        return rest_.empty();
    }
    bool take(char wanted) {
        skip_blanks();
        if (rest_.empty() || rest_.front() != wanted) return false;
        rest_.remove_prefix(1);
        return true;
    }

    double read_number() {
        skip_blanks();
        double value = 0.0;
        const auto [stop, error] =
            std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
        if (error != std::errc() || !std::isfinite(value)) fail("expected a number");
        rest_.remove_prefix(static_cast<std::size_t>(stop - rest_.data()));
        return value;
    }

    std::string read_name() {
        const bool is_column = rest_.starts_with(column_prefix);
        const std::string_view name =
            rest_.substr(0, rest_.find_first_of(is_column ? ends_of_columns : ends_of_names));
        if (name.empty()) fail("expected the name of a score, column:NAME or a weight");
        rest_.remove_prefix(name.size());
        if (name == "cost" || name == similarity_name) return std::string(name);
        if (!is_column) return find_catalog_score(name).name;
        if (name == column_prefix) fail("column: lacks the column's name, as in column:loss");
        return std::string(name);
    }

    WrittenFactor read_factor() {
        skip_blanks();
        if (!rest_.empty() && rest_.front() == '-') fail(minus_message);
        WrittenFactor factor;
        const bool is_number =
            !rest_.empty() &&
            (std::isdigit(static_cast<unsigned char>(rest_.front())) != 0 || rest_.front() == '.');
        if (is_number) {
            factor.number = read_number();
            if (factor.number <= 0.0) fail("a weight of 0; leave the term out");
            return factor;
        }
        factor.name = read_name();
        if (take('^')) factor.strength = read_number();
        if (factor.strength == 0.0)
            fail("a strength of 0 leaves nothing of '" + factor.name + "'; leave it out");
        return factor;
    }

    void read_term() {
        ScoreTerm term;
        std::vector<WrittenFactor> named;
        for (bool divides = false, more = true; more;) {
            WrittenFactor factor = read_factor();
            if (factor.name.empty())
                term.weight = divides ? term.weight / factor.number : term.weight * factor.number;
            else
                add_to(named, factor.name, divides ? -factor.strength : factor.strength);
            divides = take('/');
            more = divides || take('*');
        }
        if (named.empty()) fail("a weight alone is the same for all rows; name a score");
        if (!(term.weight > 0.0) || !std::isfinite(term.weight))
            fail("a weight beyond all numbers");
        for (const WrittenFactor& factor : named) {
            if (factor.strength == 0.0)
                fail("the strengths of '" + factor.name + "' cancel; leave it out");
            add_source(factor.name, factor.strength, term);
        }
        write_term(term.weight, named);
        expression_.terms.push_back(std::move(term));
    }

    // Powers of one quantity add up.
    static void add_to(std::vector<WrittenFactor>& named, const std::string& name,
                       double strength) {
        for (WrittenFactor& factor : named) {
            if (factor.name != name) continue;
            factor.strength += strength;
            return;
        }
        named.push_back({name, 1.0, strength});
    }

    void add_source(const std::string& name, double strength, ScoreTerm& term) {
        const bool is_listed =
            name != "cost" && name != similarity_name && !name.starts_with(column_prefix);
        const std::vector<std::string> product =
            is_listed ? find_catalog_score(name).factors : std::vector<std::string>();
        if (!product.empty()) {
            for (const std::string& factor : product)
                add_source(factor, strength, term);
            return;
        }
        auto& sources = expression_.sources;
        const auto found = std::find(sources.begin(), sources.end(), name);
        const auto index = static_cast<std::size_t>(found - sources.begin());
        if (found == sources.end()) sources.push_back(name);
        term.factors.push_back({index, strength});
    }

    void write_term(double weight, const std::vector<WrittenFactor>& named) {
        std::string& text = expression_.text;
        if (!text.empty()) text += " + ";
        if (weight != 1.0) text += number_text(weight) + "*";
        for (const WrittenFactor& factor : named) {
            if (&factor != &named.front()) text += "*";
            text += factor.name;
            if (factor.strength != 1.0) text += "^" + number_text(factor.strength);
        }
    }

    std::string_view all_;
    std::string_view rest_;
    ScoreExpression expression_;
};

double value_of(const ScoreTerm& term, std::span<const float* const> sources, std::size_t row) {
    double value = term.weight;
    for (const ScoreFactor& factor : term.factors)
        value *= power_of(static_cast<double>(sources[factor.source][row]), factor.strength);
    return value;
}

}  // namespace

bool ScoreExpression::is_plain() const {
    return terms.size() == 1 && terms[0].weight == 1.0 && terms[0].factors.size() == 1 &&
           terms[0].factors[0].strength == 1.0;
}

ScoreExpression parse_score(std::string_view text) {
    return Parser(text).parse();
}

std::string canonical_score(std::string_view text) {
    return parse_score(text).text;
}

void combine_scores(const ScoreExpression& expression, std::span<const float* const> sources,
                    std::span<float> scores) {
    for (std::size_t row = 0; row < scores.size(); ++row) {
        double sum = 0.0;
        for (const ScoreTerm& term : expression.terms)
            sum += value_of(term, sources, row);
        const auto score = static_cast<float>(sum);
        scores[row] = std::isfinite(score) ? score : std::nanf("");
    }
}

}  // namespace sluice::select
