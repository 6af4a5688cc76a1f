#include "pool/check_findings.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "pool/row_reader.hpp"

#include <fmt/format.h>

#include <cmath>

namespace sluice::pool {
namespace {

using Severity = Finding::Severity;

// `, as in 17 rows` where there are more than the one named.
std::string among(const Tally& tally) {
    return tally.count > 1 ? ", as in " + count_text(tally.count) + " rows" : "";
}

// `value 12`, or `value 12 of member 3`: where in its row an element stands, as people count it
// along the dataset's axes from 0.
std::string element_text(const Dataset& dataset, std::int64_t element) {
    if (dataset.row_shape.size() < 2) return "value " + std::to_string(element);
    const std::int64_t width = dataset.row_shape.back();
    return fmt::format("value {} of member {}", element % width, element / width);
}

// `the row` or `member 3`: which group of probabilities begins at `element`.
std::string group_text(const Dataset& dataset, std::int64_t element) {
    if (dataset.row_shape.size() < 2) return "the probabilities";
    return fmt::format("the probabilities of member {}", element / dataset.row_shape.back());
}

// Rows of logits are told by values that no probability can have.
bool looks_like_logits(const std::vector<double>& row) {
    for (const double value : row) {
        if (value < 0.0 || value > 1.0 + sum_tolerance) return true;
    }
    return false;
}

std::string sum_text(const std::vector<double>& row, std::int64_t first, std::int64_t group) {
    double sum = 0.0;
    for (std::int64_t i = first; i < first + group; ++i)
        sum += row[static_cast<std::size_t>(i)];
    return fmt::format("{:.6g}", sum);
}

const char* logits_remedy = "if these are logits, store them with attribute kind=\"logit\"";

std::string probability_remedy(const std::vector<double>& row) {
    return looks_like_logits(row) ? logits_remedy : "normalise the row";
}

// The problem of one row, with its value and remedy, without its place.
std::string problem_text(const Dataset& dataset, const RowProblem& found,
                         const std::vector<double>& row, const std::string& rows) {
    const std::string value = number_text(row.at(static_cast<std::size_t>(found.element)));
    const std::string element = element_text(dataset, found.element);
    const std::int64_t group = dataset.row_shape.empty() ? 1 : dataset.row_shape.back();
    switch (found.problem) {
        case Problem::non_finite:
            return fmt::format(
                "{} is not finite ({}){}; repair these rows, or leave them out with "
                "--bad-rows skip",
                element, value, rows);
        case Problem::beyond_float32:
            return fmt::format("{} is beyond float32 ({}){}; rescale the column", element, value,
                               rows);
        case Problem::negative:
            return fmt::format("{} is a negative probability ({}){}; {}", element, value, rows,
                               logits_remedy);
        case Problem::all_zero:
            return fmt::format(
                "{} are all zero{}; repair these rows, or leave them out of the pool",
                group_text(dataset, found.element), rows);
        case Problem::bad_sum:
            return fmt::format("{} do not sum to 1 ({}){}; {}", group_text(dataset, found.element),
                               sum_text(row, found.element, group), rows, probability_remedy(row));
        case Problem::too_large:
            return fmt::format(
                "{} is so large that squared distances overflow float32 ({}){}; "
                "scale the features, as to unit variance",
                element, value, rows);
        case Problem::zero_norm:
            return fmt::format(
                "the row has no length{}; it has no direction for the cosine, the "
                "Euclidean distance works",
                rows);
        case Problem::unreadable:
            break;
    }
    return "unreadable" + rows;
}

Finding describe(const Dataset& dataset, Problem problem, const Tally& tally) {
    const RowReader reader(dataset);
    RowReader::Scratch scratch;
    std::vector<double> row(static_cast<std::size_t>(dataset.row_elements()));
    const auto severity = problem == Problem::zero_norm || dataset.role.starts_with("columns/")
                              ? Severity::advice
                              : Severity::error;
    try {
        reader.gather_doubles(std::span(&tally.first, 1), row, scratch);
    } catch (const Error& error) {
        if (error.code() != ExitCode::bad_data) throw;
        return {Severity::error, error.what() + among(tally)};
    }
    const RowProblem found =
        judge_row(row_rule_of(dataset).value_or(RowRule{}), row).value_or(RowProblem{problem, 0});
    return {severity, location_text(dataset, tally.first) + ": " +
                          problem_text(dataset, found, row, among(tally))};
}

}  // namespace

std::vector<Finding> describe_tallies(const Dataset& dataset, const Tallies& tallies) {
    std::vector<Finding> findings;
    for (std::size_t p = 0; p < num_problems; ++p) {
        if (tallies[p].count == 0) continue;
        findings.push_back(describe(dataset, static_cast<Problem>(p), tallies[p]));
    }
    return findings;
}

}  // namespace sluice::pool
