#include "stream/observation.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "model/model_file.hpp"
#include "model/model_outputs.hpp"
#include "pool/row_reader.hpp"
#include "pool/row_rules.hpp"
#include "select/score_input.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

namespace sluice::stream {
namespace {

using Json = nlohmann::json;
using Row = std::vector<double>;

std::vector<double> numbers_of(const Json& json, const std::string& where) {
    require(json.is_array() && !json.empty(), ExitCode::bad_data,
            where + ": is no list of numbers; give one");
    std::vector<double> values;
    for (const Json& value : json) {
        require(value.is_number() && std::isfinite(value.get<double>()), ExitCode::bad_data,
                where + ": holds what is no finite number (" + printable(value.dump()) +
                    "); repair it");
        values.push_back(value.get<double>());
    }
    return values;
}

// [M][T], or [M] for one component.
std::vector<Row> members_of(const Json& json, const std::string& where) {
    std::vector<Row> members;
    if (json.is_array() && !json.empty() && json.front().is_array()) {
        for (const Json& member : json)
            members.push_back(numbers_of(member, where));
    } else {
        for (const double value : numbers_of(json, where))
            members.push_back({value});
    }
    for (const Row& member : members)
        require(member.size() == members.front().size(), ExitCode::bad_data,
                where + ": members of different lengths; give as many numbers for each");
    return members;
}

void require_distribution(const Row& row, const std::string& where) {
    const double sum = std::accumulate(row.begin(), row.end(), 0.0);
    const bool is_one = std::fabs(sum - 1.0) <= pool::sum_tolerance;
    require(is_one && *std::ranges::min_element(row) >= 0.0, ExitCode::bad_data,
            fmt::format("{}: are no probabilities (their sum is {:.6g}, the least {:.6g}); give "
                        "numbers from 0 that sum to 1",
                        where, sum, *std::ranges::min_element(row)));
}

Row mean_of(const std::vector<Row>& members) {
    Row mean(members.front().size(), 0.0);
    for (const Row& member : members) {
        for (std::size_t c = 0; c < mean.size(); ++c)
            mean[c] += member[c] / static_cast<double>(members.size());
    }
    return mean;
}

// The members' standard deviation, of the component where it is largest.
double deviation_of(const std::vector<Row>& members) {
    const Row mean = mean_of(members);
    double largest = 0.0;
    for (std::size_t t = 0; t < mean.size(); ++t) {
        double squares = 0.0;
        for (const Row& member : members)
            squares += (member[t] - mean[t]) * (member[t] - mean[t]);
        largest = std::max(largest, std::sqrt(squares / static_cast<double>(members.size())));
    }
    return largest;
}

void read_said(const Json& json, const std::string& where, Observation& observation) {
    if (json.contains("probabilities")) {
        observation.probabilities =
            numbers_of(json["probabilities"], where + ": \"probabilities\"");
        require_distribution(observation.probabilities, where + ": \"probabilities\"");
    } else if (json.contains("committee")) {
        const std::vector<Row> members = members_of(json["committee"], where + ": \"committee\"");
        for (const Row& member : members)
            require_distribution(member, where + ": \"committee\"");
        observation.probabilities = mean_of(members);
    } else if (json.contains("predictions")) {
        observation.deviation =
            deviation_of(members_of(json["predictions"], where + ": \"predictions\""));
    }
}

// What model::ModelOutputs tells of each row.
void take_outputs(const model::ModelOutputs& outputs, std::vector<Observation>& observations) {
    const auto width = static_cast<std::size_t>(outputs.width);
    for (std::size_t i = 0; i < observations.size(); ++i) {
        const auto mean = std::span(outputs.mean).subspan(i * width, width);
        if (outputs.task == model::Task::classification) {
            observations[i].probabilities.assign(mean.begin(), mean.end());
        } else {
            observations[i].deviation = outputs.uncertainty.empty() ? 0.0 : outputs.uncertainty[i];
        }
    }
}

std::vector<float> read_rows(const pool::Dataset& dataset, RowRange rows) {
    std::vector<float> values(static_cast<std::size_t>(rows.size() * dataset.row_elements()));
    pool::RowReader::Scratch scratch;
    pool::RowReader(dataset).read(rows, values, scratch);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto row = rows.begin + static_cast<RowId>(i) / dataset.row_elements();
        require(std::isfinite(values[i]), ExitCode::bad_data,
                pool::location_text(dataset, row) + ": holds what is no finite number (" +
                    number_text(values[i]) + "); repair the row");
    }
    return values;
}

const pool::Dataset& said_dataset(const pool::Pool& pool) {
    for (const char* role : {"probabilities", "committee", "predictions"}) {
        if (const pool::Dataset* dataset = pool.find(role)) return *dataset;
    }
    return pool.get("probabilities", "a stream without --model");
}

model::ModelOutputs stored_outputs(const pool::Pool& pool, RowRange rows) {
    const pool::Dataset& dataset = said_dataset(pool);
    const std::vector<float> values = read_rows(dataset, rows);
    model::MemberOutputs said;
    said.input = select::input_of(dataset);
    said.members = dataset.role == "probabilities" ? 1 : dataset.row_shape.front();
    said.width = dataset.row_elements() / said.members;
    said.values = values;
    return model::outputs_of(said);
}

void name_rows(const pool::Pool& pool, RowRange rows, std::vector<Observation>& observations) {
    std::vector<RowId> numbers(observations.size());
    std::iota(numbers.begin(), numbers.end(), rows.begin);
    const pool::Dataset* ids = pool.find("ids");
    if (ids == nullptr) {
        for (std::size_t i = 0; i < numbers.size(); ++i)
            observations[i].id = std::to_string(numbers[i]);
        return;
    }
    pool::RowReader::Scratch scratch;
    const std::vector<std::string> names = pool::RowReader(*ids).gather_text(numbers, scratch);
    for (std::size_t i = 0; i < names.size(); ++i)
        observations[i].id = names[i];
}

}  // namespace

Observer::Observer(const std::string& model_path, Embedding embedding)
    : model_path_(model_path), embedding_(embedding) {
    if (model_path.empty()) return;
    committee_ = model::read_model(model_path);
    network_ = model::run_network(*committee_, kernels::Backend::cpu, model_path);
}

void Observer::ask_model(std::vector<Observation>& observations) const {
    std::vector<float> features;
    for (const Observation& observation : observations) {
        require(std::ssize(observation.features) == network_->dim(), ExitCode::bad_data,
                fmt::format("{}: reads {} features, but item {} has {}; give the model that "
                            "belongs to the stream",
                            model_path_, network_->dim(), printable(observation.id),
                            observation.features.size()));
        for (const double value : observation.features)
            features.push_back(static_cast<float>(value));
    }
    take_outputs(model::outputs_of(*network_, committee_->task, committee_->outputs, features),
                 observations);
}

Observation Observer::of_line(const std::string& line, const std::string& where) const {
    const Json json = Json::parse(line, nullptr, false);
    require(json.is_object(), ExitCode::bad_data,
            where +
                ": is no JSON object; give one a line, as in {\"id\": 7, \"probabilities\": "
                "[0.2, 0.8]}");
    std::vector<Observation> one(1);
    if (json.contains("id")) {
        const Json& id = json["id"];
        one[0].id = id.is_string() ? id.get<std::string>() : id.dump();
    }
    if (json.contains("features"))
        one[0].features = numbers_of(json["features"], where + ": \"features\"");
    if (json.contains("inputs")) one[0].inputs = numbers_of(json["inputs"], where + ": \"inputs\"");
    if (network_) {
        ask_model(one);
    } else {
        read_said(json, where, one[0]);
    }
    return one[0];
}

std::vector<Observation> Observer::of_rows(const pool::Pool& pool, RowRange rows,
                                           const PolicyDefinition& policy) const {
    std::vector<Observation> observations(static_cast<std::size_t>(rows.size()));
    name_rows(pool, rows, observations);
    if (network_ || policy.needs_direction) {
        const pool::Dataset& features = pool.get("features", "the stream");
        const std::vector<float> values = read_rows(features, rows);
        const std::int64_t dim = features.row_elements();
        for (std::size_t i = 0; i < observations.size(); ++i) {
            const auto begin = values.begin() + static_cast<std::int64_t>(i) * dim;
            observations[i].features.assign(begin, begin + dim);
        }
    }
    const bool may_lack = policy.needs_direction && embedding_ == Embedding::features;
    if (network_) {
        ask_model(observations);
    } else if (!may_lack) {
        take_outputs(stored_outputs(pool, rows), observations);
    }
    return observations;
}

std::vector<double> Observer::direction_of(const Observation& observation) const {
    const std::vector<double>& x = observation.features;
    const std::vector<double>& p = observation.probabilities;
    require(!x.empty(), ExitCode::bad_data,
            "item " + printable(observation.id) +
                ": has no features, which volume sampling "
                "needs; give some");
    require(!p.empty() || embedding_ != Embedding::gradient, ExitCode::bad_data,
            "item " + printable(observation.id) +
                ": has no class probabilities for --embedding gradient; choose features");
    if (p.empty() || embedding_ == Embedding::features) return x;
    const auto likeliest = std::ranges::max_element(p) - p.begin();
    std::vector<double> gradient;
    for (std::int64_t c = 0; c < std::ssize(p); ++c) {
        const double factor = p[static_cast<std::size_t>(c)] - (c == likeliest ? 1.0 : 0.0);
        for (const double value : x)
            gradient.push_back(factor * value);
    }
    return gradient;
}

Item Observer::item_of(const Observation& observation, const PolicyDefinition& policy) const {
    Item item;
    if (policy.needs_direction) item.direction = direction_of(observation);
    if (!observation.probabilities.empty()) {
        item.certainty = *std::ranges::max_element(observation.probabilities);
    } else if (observation.deviation.value_or(0.0) > 0.0) {
        item.certainty = 1.0 / *observation.deviation;
    } else {
        require(observation.deviation || policy.needs_direction, ExitCode::bad_data,
                "item " + printable(observation.id) +
                    ": has none of probabilities, committee and predictions; give one of them, or "
                    "features and --model");
        // Members that all say the same are as certain as can be.
        item.certainty = std::numeric_limits<double>::max();
    }
    return item;
}

}  // namespace sluice::stream
