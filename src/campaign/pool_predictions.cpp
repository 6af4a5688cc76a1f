#include "campaign/pool_predictions.hpp"

#include "comm/cores.hpp"
#include "core/error.hpp"
#include "pool/check_findings.hpp"
#include "pool/check_values.hpp"
#include "pool/row_reader.hpp"
#include "pool/row_rules.hpp"
#include "select/score_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace sluice::campaign {
namespace {

using model::Task;

// In the order in which one of them is chosen.
constexpr std::array prediction_roles = {"probabilities", "committee", "predictions"};

std::string place(const pool::Dataset& dataset) {
    return dataset.parts.front().path + ": " + dataset.path;
}

bool is_numbers(const pool::Dataset& dataset) {
    return dataset.role == "predictions";
}

std::int64_t members_of(const pool::Dataset& dataset) {
    return dataset.role == "probabilities" ? 1 : dataset.row_shape.front();
}

// C or T.
std::int64_t width_of(const pool::Dataset& dataset) {
    return dataset.row_elements() / std::max<std::int64_t>(members_of(dataset), 1);
}

// What is wrong with a dataset's values; only a damaged chunk counts with BadRows::skip.
std::optional<std::string> first_error(const pool::Dataset& dataset, pool::Tallies tallies,
                                       select::BadRows bad_rows) {
    for (std::size_t p = 0; p < pool::num_problems; ++p) {
        const bool is_passed_over = bad_rows == select::BadRows::skip &&
                                    static_cast<pool::Problem>(p) != pool::Problem::unreadable;
        if (is_passed_over) tallies[p] = {};
    }
    for (const pool::Finding& finding : pool::describe_tallies(dataset, tallies)) {
        if (finding.severity != pool::Finding::Severity::error) continue;
        // Its advice is for those who have made a pool by hand.
        return finding.message.substr(0, finding.message.rfind("; "));
    }
    return std::nullopt;
}

void require_meaning(const pool::Dataset& dataset, std::span<const RowId> rows,
                     std::span<const float> values) {
    const std::optional<pool::RowRule> rule = pool::row_rule_of(dataset);
    const auto width = static_cast<std::size_t>(dataset.row_elements());
    std::vector<double> row_values(width);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::ranges::copy(values.subspan(i * width, width), row_values.begin());
        require(!rule || !pool::judge_row(*rule, row_values), ExitCode::bad_data,
                pool::location_text(dataset, rows[i]) +
                    ": holds values that mean nothing, but the row is one that models are tested "
                    "on; let the training command predict it");
    }
}

}  // namespace

pool::Pool open_predictions(const std::string& path, RowId num_rows, comm::Communicator& world) {
    pool::PoolSource source;
    source.files = {path};
    pool::Pool predictions = pool::open_pool(source, world);
    std::erase_if(predictions.datasets, [](const auto& entry) {
        return std::ranges::count(prediction_roles, entry.first) == 0;
    });
    world.agree([&] {
        require(!predictions.datasets.empty(), ExitCode::bad_data,
                path +
                    ": has none of the datasets probabilities, committee and predictions; write "
                    "one of them, as a pool has it");
        require(
            predictions.num_rows == num_rows, ExitCode::bad_data,
            fmt::format("{}: has {} rows, the pool has {}; predict every row of the pool, in its "
                        "order",
                        path, predictions.num_rows, num_rows));
    });
    return predictions;
}

void replace_predictions(pool::Pool& pool, const pool::Pool& predictions) {
    for (const char* role : prediction_roles)
        pool.datasets.erase(role);
    pool.datasets.insert(predictions.datasets.begin(), predictions.datasets.end());
    pool.contents.insert(pool.contents.end(), predictions.contents.begin(),
                         predictions.contents.end());
}

void require_fit(const pool::Pool& predictions, const LabelShape& labels) {
    const bool wants_numbers = labels.task == Task::regression;
    for (const auto& [role, dataset] : predictions.datasets) {
        require(
            is_numbers(dataset) == wants_numbers, ExitCode::bad_data,
            fmt::format("{}: is for {}, but the labels are for {}; write {}", place(dataset),
                        model::task_name(wants_numbers ? Task::classification : Task::regression),
                        model::task_name(labels.task),
                        wants_numbers ? "predictions" : "probabilities or a committee"));
        const std::int64_t width = width_of(dataset);
        require(labels.is_least ? width >= labels.outputs : width == labels.outputs,
                ExitCode::bad_data,
                fmt::format("{}: tells of {} {}, but the labels have {}; tell of all of them",
                            place(dataset), width, wants_numbers ? "targets" : "classes",
                            labels.outputs));
    }
}

void require_good_values(const pool::Pool& predictions, select::BadRows bad_rows,
                         comm::Communicator& world) {
    const std::vector<pool::Tallies> tallies =
        pool::scan_values(predictions, comm::cores_of_this_rank(world), world);
    world.agree([&] {
        if (!world.is_root()) return;
        auto next = tallies.begin();
        for (const auto& [role, dataset] : predictions.datasets) {
            const std::optional<std::string> error = first_error(dataset, *next++, bad_rows);
            require(!error, ExitCode::bad_data,
                    error.value_or("") + "; let the training command say something of every row");
        }
    });
}

model::ModelOutputs predicted_outputs(const pool::Pool& predictions, std::span<const RowId> rows) {
    const auto role = std::ranges::find_if(
        prediction_roles, [&](const char* name) { return predictions.find(name) != nullptr; });
    const pool::Dataset& dataset = predictions.get(*role, "the model of a round");
    std::vector<float> values(rows.size() * static_cast<std::size_t>(dataset.row_elements()));
    pool::RowReader::Scratch scratch;
    pool::RowReader(dataset).gather(rows, values, scratch);
    require_meaning(dataset, rows, values);
    model::MemberOutputs said;
    said.input = select::input_of(dataset);
    said.members = members_of(dataset);
    said.width = width_of(dataset);
    said.values = values;
    return model::outputs_of(said);
}

}  // namespace sluice::campaign
