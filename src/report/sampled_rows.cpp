#include "report/sampled_rows.hpp"

#include "core/error.hpp"
#include "core/partition.hpp"
#include "model/model_file.hpp"
#include "model/model_outputs.hpp"
#include "pool/row_reader.hpp"
#include "select/row_scorer.hpp"
#include "select/score_catalog.hpp"
#include "select/score_input.hpp"
#include "select/score_sources.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

namespace sluice::report {
namespace {

constexpr std::int64_t most_feature_bytes = std::int64_t{256} << 20;
constexpr double axis_work = 2e9;  // products summed up
constexpr std::int64_t fewest_axis_rows = 500;
constexpr std::int64_t block_rows = 4096;

std::int64_t sample_size(const pool::Pool& pool, std::int64_t most_rows) {
    std::int64_t count = std::min<std::int64_t>(pool.num_rows, most_rows);
    if (const pool::Dataset* features = pool.find("features")) {
        const std::int64_t row_bytes = 4 * features->row_elements();
        count = std::min(count, std::max<std::int64_t>(1, most_feature_bytes / row_bytes));
    }
    return count;
}

// Spaced as evenly as whole numbers allow.
RowId spaced_row(std::int64_t index, RowId num_rows, std::int64_t count) {
    const RowId quotient = num_rows / count;
    const RowId rest = num_rows % count;
    return index * quotient + index * rest / count;
}

bool is_finite(std::span<const float> row) {
    return std::ranges::all_of(row, [](float value) { return std::isfinite(value); });
}

// The rows that the axes are found from, one after the other.
std::vector<float> rows_for_axes(const std::vector<float>& features, std::int64_t dim,
                                 RowRange mine, std::int64_t count) {
    const double products = static_cast<double>(dim) * static_cast<double>(dim);
    const auto wanted = std::max(fewest_axis_rows, static_cast<std::int64_t>(axis_work / products));
    const std::int64_t stride = (count + wanted - 1) / wanted;
    std::vector<float> rows;
    for (RowId index = mine.begin; index < mine.end; ++index) {
        const auto row = std::span(features).subspan(
            static_cast<std::size_t>((index - mine.begin) * dim), static_cast<std::size_t>(dim));
        if (index % stride == 0 && is_finite(row)) rows.insert(rows.end(), row.begin(), row.end());
    }
    return rows;
}

void project(const std::vector<float>& features, std::int64_t dim, const PrincipalAxes& axes,
             RowFacts& facts) {
    for (std::size_t begin = 0; begin < features.size(); begin += static_cast<std::size_t>(dim)) {
        const auto row = std::span(features).subspan(begin, static_cast<std::size_t>(dim));
        const bool is_there = is_finite(row);
        facts.x.push_back(is_there ? axes.project(row, 0) : std::nan(""));
        facts.y.push_back(is_there ? axes.project(row, 1) : std::nan(""));
    }
}

// Probabilities as the pool stores them; a committee's as their mean.
std::vector<std::int32_t> stored_classes(const pool::Pool& pool, const std::vector<RowId>& rows,
                                         std::int64_t& num_classes) {
    const pool::Dataset* said = pool.find("probabilities");
    if (said == nullptr) said = pool.find("committee");
    if (said == nullptr || (said->role == "committee" && said->is_logit())) return {};
    num_classes = said->row_shape.back();
    const auto width = static_cast<std::size_t>(num_classes);
    const auto size = static_cast<std::size_t>(said->row_elements());
    std::vector<float> values(rows.size() * size);
    pool::RowReader::Scratch scratch;
    pool::RowReader(*said).gather(rows, values, scratch);
    std::vector<std::int32_t> classes;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        std::vector<double> sum(width, 0.0);
        for (std::size_t i = 0; i < size; ++i)
            sum[i % width] += static_cast<double>(values[row * size + i]);
        classes.push_back(static_cast<std::int32_t>(std::ranges::max_element(sum) - sum.begin()));
    }
    return classes;
}

std::vector<std::int32_t> classes_of(const pool::Pool& pool, SampledRows& sample,
                                     const std::vector<RowId>& rows,
                                     const std::vector<float>& features) {
    if (!sample.network) return stored_classes(pool, rows, sample.num_classes);
    if (sample.committee->task != model::Task::classification) return {};
    sample.num_classes = sample.committee->outputs;
    return model::outputs_of(*sample.network, sample.committee->task, sample.num_classes, features)
        .classes();
}

void read_model(const pool::Pool& pool, const SampleTask& task, SampledRows& sample) {
    if (task.model_path.empty()) return;
    sample.committee = model::read_model(task.model_path);
    sample.network = model::run_network(*sample.committee, kernels::Backend::cpu, task.model_path);
    static_cast<void>(select::network_features(pool, *sample.network, task.model_path));
}

// The campaign's score, as the scan of a selection computes it. Throws Error(usage) for one that
// is prepared from the whole pool, or drawn by row number.
select::Plan score_plan(const pool::Pool& pool, const SampleTask& task, const SampledRows& sample) {
    select::Plan plan;
    plan.score = select::parse_score(task.score);
    plan.network = sample.network;
    select::PlanRequest request;
    request.input = task.input;
    request.model_path = task.model_path;
    plan.sources = select::choose_sources(pool, plan, request);
    for (const select::ScoreSource& source : plan.sources) {
        const bool is_of_row = source.score == nullptr ||
                               (source.score->row_score != nullptr && source.name != "random");
        require(is_of_row, ExitCode::usage,
                "'" + source.name +
                    "' is no function of a row alone, so the pool's scores are "
                    "not drawn");
    }
    return plan;
}

std::vector<float> scores_of(const pool::Pool& pool, const SampleTask& task,
                             const SampledRows& sample, const std::vector<RowId>& rows) {
    std::vector<float> scores;
    if (task.score.empty()) return scores;
    const select::Plan plan = score_plan(pool, task, sample);
    const select::RowScorer scorer(pool, plan);
    select::RowScorer::Buffers buffers;
    for (std::int64_t begin = 0; begin < std::ssize(rows); begin += block_rows) {
        const std::int64_t count = std::min(block_rows, std::ssize(rows) - begin);
        scorer.gather(std::span(rows).subspan(static_cast<std::size_t>(begin),
                                              static_cast<std::size_t>(count)),
                      buffers);
        scorer.score({0, count}, buffers);
        scores.insert(scores.end(), buffers.scores.begin(), buffers.scores.end());
    }
    return scores;
}

std::vector<std::int64_t> groups_of(const pool::Pool& pool, const std::vector<RowId>& rows) {
    const pool::Dataset* groups = pool.find("groups");
    if (groups == nullptr) return {};
    std::vector<std::int64_t> values(rows.size());
    pool::RowReader::Scratch scratch;
    pool::RowReader(*groups).gather_integers(rows, values, scratch);
    return values;
}

template <typename T>
void collect(std::vector<T>& values, comm::Communicator& world) {
    values = world.gather(std::span<const T>(values));
}

}  // namespace

std::vector<float> features_of(const pool::Pool& pool, const std::vector<RowId>& rows) {
    const pool::Dataset* features = pool.find("features");
    if (features == nullptr) return {};
    std::vector<float> values(rows.size() * static_cast<std::size_t>(features->row_elements()));
    pool::RowReader::Scratch scratch;
    pool::RowReader(*features).gather(rows, values, scratch);
    return values;
}

SampledRows sample_rows(const pool::Pool& pool, const SampleTask& task, comm::Communicator& world) {
    SampledRows sample;
    RowFacts& facts = sample.facts;
    const std::int64_t count = sample_size(pool, task.most_rows);
    const RowRange mine = part_of_rows(count, world.rank(), world.size());
    std::vector<float> features;
    world.agree([&] {
        for (RowId index = mine.begin; index < mine.end; ++index)
            facts.rows.push_back(spaced_row(index, pool.num_rows, count));
        features = features_of(pool, facts.rows);
        read_model(pool, task, sample);
        sample.scores = scores_of(pool, task, sample, facts.rows);
        facts.classes = classes_of(pool, sample, facts.rows, features);
        facts.groups = groups_of(pool, facts.rows);
    });
    if (const pool::Dataset* dataset = pool.find("features")) {
        const std::int64_t dim = dataset->row_elements();
        sample.axes = principal_axes(rows_for_axes(features, dim, mine, count), dim, world);
        project(features, dim, *sample.axes, facts);
    }
    collect(facts.rows, world);
    collect(facts.x, world);
    collect(facts.y, world);
    collect(facts.classes, world);
    collect(facts.groups, world);
    collect(sample.scores, world);
    return sample;
}

RowFacts facts_of(const pool::Pool& pool, const SampledRows& sample, std::vector<RowId> rows) {
    std::vector<RowId> ascending = rows;
    std::sort(ascending.begin(), ascending.end());
    ascending.erase(std::unique(ascending.begin(), ascending.end()), ascending.end());
    RowFacts found;
    const std::vector<float> features = features_of(pool, ascending);
    if (sample.axes)
        project(features, pool.get("features", "the map").row_elements(), *sample.axes, found);
    SampledRows same = sample;
    found.classes = classes_of(pool, same, ascending, features);
    found.groups = groups_of(pool, ascending);
    RowFacts facts;
    for (const RowId row : rows) {
        const auto i = static_cast<std::size_t>(
            std::lower_bound(ascending.begin(), ascending.end(), row) - ascending.begin());
        if (!found.x.empty()) facts.x.push_back(found.x[i]);
        if (!found.y.empty()) facts.y.push_back(found.y[i]);
        if (!found.classes.empty()) facts.classes.push_back(found.classes[i]);
        if (!found.groups.empty()) facts.groups.push_back(found.groups[i]);
    }
    facts.rows = std::move(rows);
    return facts;
}

}  // namespace sluice::report
