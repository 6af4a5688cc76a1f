#include "study/study_data.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "labels/labeled_rows.hpp"
#include "labels/training_labels.hpp"
#include "pool/row_reader.hpp"
#include "study/study_split.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>

namespace sluice::study {
namespace {

constexpr double gib = 1024.0 * 1024.0 * 1024.0;
// The data set, a run's pool part and test part, and its training set.
constexpr double copies_held = 3.0;

// The same on all ranks.
void check_memory(const StudySource& source, std::int64_t rows, std::int64_t dim,
                  const StudyReading& reading) {
    const double bytes =
        static_cast<double>(rows) * static_cast<double>(dim) * sizeof(float) * copies_held;
    if (bytes <= reading.memory_gib * gib) return;
    throw comm::AgreedError(ExitCode::usage,
                            "--memory: " + source.name + " needs " + bytes_text(bytes) +
                                " on each rank (" + count_text(rows) + " labeled rows of " +
                                count_text(dim) +
                                " features); allow more, or label fewer rows for the study");
}

// Before anything large is read: what it will take.
void check_memory(const StudySource& source, const pool::Pool& pool, const StudyReading& reading,
                  comm::Communicator& world) {
    const pool::Dataset& features = pool.get("features", "simulate");
    const std::vector<RowId> rows =
        labels::read_labeled_rows({{source.labels_path}}, pool.num_rows, world);
    check_memory(source, std::ssize(rows), features.row_elements(), reading);
}

StudyPool visible_part(const StudySource& source, model::TrainingSet& set) {
    StudyPool pool;
    pool.name = source.name;
    pool.task = set.task;
    pool.dim = set.dim;
    pool.outputs = set.outputs;
    pool.rows = set.rows;
    pool.features = std::move(set.features);
    pool.target_names = set.target_names;
    pool.target_units = set.target_units;
    return pool;
}

std::vector<double> read_costs(const pool::Dataset& dataset, const std::vector<RowId>& rows) {
    std::vector<double> costs(rows.size());
    pool::RowReader::Scratch scratch;
    pool::RowReader(dataset).gather_doubles(rows, costs, scratch);
    for (std::size_t i = 0; i < costs.size(); ++i) {
        require(costs[i] > 0.0 && costs[i] < std::numeric_limits<double>::infinity(),
                ExitCode::bad_data,
                pool::location_text(dataset, rows[i]) + ": a label cannot cost " +
                    number_text(costs[i]) + "; write a finite number above 0");
    }
    return costs;
}

std::vector<float> read_numbers(const pool::Dataset& dataset, const std::vector<RowId>& rows) {
    require(dataset.type != pool::ElementType::text && dataset.row_elements() == 1,
            ExitCode::bad_data,
            pool::location_text(dataset, 0) +
                ": is no number a row, which where= compares; name another column");
    std::vector<float> numbers(rows.size());
    pool::RowReader::Scratch scratch;
    pool::RowReader(dataset).gather(rows, numbers, scratch);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        require(std::isfinite(numbers[i]), ExitCode::bad_data,
                pool::location_text(dataset, rows[i]) + ": holds " + number_text(numbers[i]) +
                    " (where= compares finite numbers)");
    }
    return numbers;
}

const pool::Pool& pool_for(const std::optional<pool::Pool>& pool, const StudySource& source,
                           const std::string& word) {
    require(pool.has_value(), ExitCode::usage,
            "--strategy: " + source.name + " has no pool, whose datasets " + word +
                " reads; name one as in NAME=POOL:LABELS");
    return *pool;
}

// For each item the first one of its group.
std::vector<std::int64_t> read_groups(const pool::Dataset& dataset,
                                      const std::vector<RowId>& rows) {
    std::vector<std::int64_t> numbers(rows.size());
    pool::RowReader::Scratch scratch;
    pool::RowReader(dataset).gather_integers(rows, numbers, scratch);
    std::map<std::int64_t, std::int64_t> first;
    std::vector<std::int64_t> groups;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        groups.push_back(first.try_emplace(numbers[i], static_cast<std::int64_t>(i)).first->second);
    }
    return groups;
}

}  // namespace

StudyData read_study_data(const StudySource& source, const StudyReading& reading,
                          comm::Communicator& world) {
    std::optional<pool::Pool> pool;
    if (!source.pool.files.empty()) {
        pool = pool::open_pool(source.pool, world);
        check_memory(source, *pool, reading, world);
    }
    labels::LabelSource labels;
    labels.path = source.labels_path;
    model::TrainingSet set =
        labels::read_training_set({labels}, pool ? &*pool : nullptr, reading.num_classes, world);
    check_memory(source, set.size(), set.dim, reading);
    HiddenLabels hidden(set);
    StudyData data{visible_part(source, set), std::move(hidden)};
    world.agree([&] {
        if (reading.costs == StudyReading::Costs::from_pool) {
            require(pool.has_value(), ExitCode::usage,
                    "--costs: " + source.name + " has no pool to read `cost` from; name one");
            data.pool.cost = read_costs(pool->get("cost", "--costs"), data.pool.rows);
        }
        for (const std::string& role : reading.condition_roles) {
            data.pool.numbers[role] = read_numbers(
                pool_for(pool, source, "where=").get(role, "--strategy"), data.pool.rows);
        }
        if (reading.items == StudyReading::Items::needed)
            static_cast<void>(pool_for(pool, source, "groups=").get("groups", "--strategy"));
        const pool::Dataset* groups = pool ? pool->find("groups") : nullptr;
        data.pool.group =
            groups != nullptr ? read_groups(*groups, data.pool.rows) : groups_of_copies(data.pool);
        if (groups != nullptr) data.pool.groups = StudyPool::Groups::items;
    });
    return data;
}

}  // namespace sluice::study
