#include "labels/training_set_builder.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "labels/label_files.hpp"
#include "pool/row_reader.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sluice::labels {
namespace {

using model::Task;
using pool::Dataset;

constexpr std::int64_t most_classes = std::int64_t{1} << 24;

[[noreturn]] void fail(const std::string& place, const std::string& what) {
    throw Error(ExitCode::bad_data, place + ": " + what);
}

// A labels file, opened with all that training may want of it.
pool::Pool open_labels(const std::string& file) {
    pool::PoolSource source;
    source.files = {file};
    source.datasets = {{"row", "/row"}, {"y", "/y"}};
    source.optional_datasets = {{"round", "/round"}, {"id", "/id"}};
    comm::Communicator alone;
    return pool::open_pool(source, alone);
}

std::vector<std::int64_t> integers_of(const Dataset& dataset) {
    if (!is_integer(dataset.type) || dataset.row_elements() != 1) {
        fail(pool::location_text(dataset, 0), "has type " + pool::element_name(dataset.type) +
                                                  "; a labels file needs integers [L] here");
    }
    std::vector<std::int64_t> values(static_cast<std::size_t>(dataset.num_rows));
    pool::RowReader::Scratch scratch;
    pool::RowReader(dataset).gather_integers(all_rows(dataset.num_rows), values, scratch);
    return values;
}

// Which entry of `rows` comes first, second, ... in ascending order.
std::vector<std::int64_t> ascending_order(const std::vector<RowId>& rows) {
    std::vector<std::int64_t> order(rows.size());
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::ranges::sort(order, {},
                      [&](std::int64_t entry) { return rows[static_cast<std::size_t>(entry)]; });
    return order;
}

template <typename T>
void reorder(const std::vector<std::int64_t>& order, std::int64_t width, std::vector<T>& values) {
    std::vector<T> result;
    result.reserve(values.size());
    for (const std::int64_t entry : order) {
        const auto begin = values.begin() + entry * width;
        result.insert(result.end(), begin, begin + width);
    }
    values = std::move(result);
}

// Appends what `read` gives for ascending rows to `values`, in the order of `rows`.
template <typename T, typename Read>
void append_rows(const std::vector<RowId>& rows, std::int64_t width, std::vector<T>& values,
                 const Read& read) {
    const std::vector<std::int64_t> order = ascending_order(rows);
    std::vector<RowId> ascending = rows;
    reorder(order, 1, ascending);
    const std::vector<T> found = read(ascending);
    const std::size_t before = values.size();
    values.resize(before + found.size());
    const auto elements = static_cast<std::size_t>(width);
    for (std::size_t i = 0; i < order.size(); ++i) {
        std::copy_n(found.begin() + static_cast<std::ptrdiff_t>(i * elements), elements,
                    values.begin() + static_cast<std::ptrdiff_t>(
                                         before + static_cast<std::size_t>(order[i]) * elements));
    }
}

std::vector<float> finite_features(const Dataset& features, const std::vector<RowId>& rows) {
    const auto dim = static_cast<std::size_t>(features.row_elements());
    std::vector<float> values(rows.size() * dim);
    pool::RowReader::Scratch scratch;
    pool::RowReader(features).gather(rows, values, scratch);
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::isfinite(values[i])) continue;
        fail(pool::location_text(features, rows[i / dim]), "feature " + std::to_string(i % dim) +
                                                               " is " + number_text(values[i]) +
                                                               " (must be finite); repair the row");
    }
    return values;
}

std::vector<std::string> attribute(const Dataset& dataset, const std::string& name,
                                   std::int64_t width) {
    const auto found = dataset.attributes.find(name);
    if (found == dataset.attributes.end() || std::ssize(found->second) != width) return {};
    return found->second;
}

}  // namespace

TrainingSetBuilder::TrainingSetBuilder(const pool::Pool* pool, std::int64_t num_classes,
                                       Extent extent)
    : pool_(pool),
      known_classes_(num_classes),
      last_class_((num_classes > 0 ? num_classes : most_classes) - 1),
      extent_(extent) {}

void TrainingSetBuilder::read(const std::vector<LabelSource>& sources) {
    for (const LabelSource& source : sources) {
        set_.source += (set_.source.empty() ? "" : ", ") + source.path;
        const std::vector<std::string> files = label_files(source.path);
        require(!files.empty(), ExitCode::no_input,
                source.path + ": holds no labels.g*.h5; run 'sluice ingest' first");
        for (const std::string& file : files)
            add(file, source);
    }
    const std::string repeated = repeated_.text();
    if (!repeated.empty()) log_warning(repeated);
    finish();
}

// The labels of the source's rounds, of rows that have none yet.
void TrainingSetBuilder::add(const std::string& file, const LabelSource& source) {
    const pool::Pool labels = open_labels(file);
    const Dataset& y = labels.get("y", "training");
    learn_task(y, file);
    const std::vector<std::int64_t> rows = integers_of(labels.get("row", "training"));
    std::vector<std::int64_t> rounds(rows.size(), 0);
    if (const Dataset* round = labels.find("round")) rounds = integers_of(*round);
    read_labels(y);
    std::vector<RowId> chosen;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const bool wanted = rounds[i] >= source.first_round && rounds[i] <= source.last_round;
        if (!wanted || is_missing(i)) continue;
        if (rows[i] < 0) {
            fail(pool::location_text(labels.get("row", ""), static_cast<RowId>(i)),
                 "is negative (" + std::to_string(rows[i]) + "); repair the labels");
        }
        const auto [seen, is_new] = seen_.try_emplace(rows[i], set_.rows.size());
        if (!is_new) {
            if (source.pseudo_weight == 0.0F) note_repeated(seen->second, i, file);
            continue;
        }
        take_label(y, i);
        set_.rows.push_back(rows[i]);
        set_.pseudo.push_back(source.pseudo_weight);
        items_.rounds.push_back(rounds[i]);
        chosen.push_back(static_cast<RowId>(i));
    }
    if (chosen.empty()) return;
    add_features(labels, chosen);
    if (extent_ == Extent::items) add_items(labels, chosen);
}

void TrainingSetBuilder::finish() {
    if (set_.task == Task::classification) count_classes();
    const std::vector<std::int64_t> order = ascending_order(set_.rows);
    reorder(order, 1, set_.rows);
    reorder(order, 1, set_.pseudo);
    if (std::ranges::count(set_.pseudo, 0.0F) == std::ssize(set_.pseudo)) set_.pseudo.clear();
    reorder(order, set_.dim, set_.features);
    reorder(order, 1, items_.rounds);
    if (set_.task == Task::classification) reorder(order, 1, set_.classes);
    if (set_.task == Task::regression) reorder(order, set_.outputs, set_.targets);
    if (extent_ == Extent::training) return;
    reorder(order, 1, items_.ids);
    if (set_.task == Task::regression) reorder(order, set_.outputs, items_.y);
    if (!inputs_known_) items_.num_inputs = 0;
    if (!inputs_known_) items_.inputs.clear();
    reorder(order, items_.num_inputs, items_.inputs);
}

void TrainingSetBuilder::learn_task(const Dataset& y, const std::string& file) {
    if (y.type == pool::ElementType::text) {
        fail(pool::location_text(y, 0), "is text; store classes as integers from 0 on");
    }
    const bool classes = is_integer(y.type);
    if (classes && y.row_elements() != 1) {
        fail(pool::location_text(y, 0), "has " + std::to_string(y.row_elements()) +
                                            " integers a label; store one class, or floats");
    }
    const Task task = classes ? Task::classification : Task::regression;
    const std::int64_t width = classes ? 0 : y.row_elements();
    if (first_file_.empty()) {
        first_file_ = file;
        set_.task = task;
        set_.outputs = width;
        set_.target_names = attribute(y, "names", width);
        set_.target_units = attribute(y, "units", width);
    }
    if (task != set_.task) {
        fail(pool::location_text(y, 0),
             std::string("holds ") + (classes ? "classes" : "numbers") + ", but " + first_file_ +
                 " holds " + (classes ? "numbers" : "classes") + "; give labels of one kind");
    }
    if (width != set_.outputs) {
        fail(pool::location_text(y, 0), "has " + std::to_string(width) + " numbers a label, " +
                                            first_file_ + " has " + std::to_string(set_.outputs) +
                                            "; give labels of one kind");
    }
}

void TrainingSetBuilder::read_labels(const Dataset& y) {
    if (set_.task == Task::classification) {
        classes_ = integers_of(y);
        return;
    }
    numbers_.resize(static_cast<std::size_t>(y.num_rows * y.row_elements()));
    pool::RowReader::Scratch scratch;
    pool::RowReader(y).gather_doubles(all_rows(y.num_rows), numbers_, scratch);
}

std::span<const double> TrainingSetBuilder::numbers_at(std::size_t label) const {
    const auto width = static_cast<std::size_t>(set_.outputs);
    return std::span(numbers_).subspan(label * width, width);
}

bool TrainingSetBuilder::is_missing(std::size_t label) const {
    if (set_.task == Task::classification) return classes_[label] == missing_label;
    return std::ranges::all_of(numbers_at(label), [](double x) { return std::isnan(x); });
}

void TrainingSetBuilder::take_label(const Dataset& y, std::size_t label) {
    if (set_.task == Task::classification) return take_class(y, label);
    for (std::size_t t = 0; t < numbers_at(label).size(); ++t) {
        const double number = numbers_at(label)[t];
        const auto target = static_cast<float>(number);
        if (!std::isfinite(target)) {
            fail(pool::location_text(y, static_cast<RowId>(label)),
                 "target " + std::to_string(t) + " is " + number_text(number) +
                     " (must be finite in float32); repair the label, or make all of it NaN = no "
                     "label yet");
        }
        set_.targets.push_back(target);
        if (extent_ == Extent::items) items_.y.push_back(number);
    }
}

void TrainingSetBuilder::take_class(const Dataset& y, std::size_t label) {
    const std::int64_t own = classes_[label];
    if (own < 0 || own > last_class_) {
        fail(pool::location_text(y, static_cast<RowId>(label)),
             "class " + std::to_string(own) + " is not from 0 to " + std::to_string(last_class_) +
                 "; " +
                 (own > 0 && known_classes_ > 0
                      ? "give --classes as many as there are"
                      : "number the classes from 0 on, -1 = no label yet"));
    }
    set_.classes.push_back(static_cast<std::int32_t>(own));
}

// Compares as training sees labels: classes, or targets in float32.
void TrainingSetBuilder::note_repeated(std::size_t entry, std::size_t label,
                                       const std::string& file) {
    bool is_same = true;
    if (set_.task == Task::classification) {
        is_same = classes_[label] == set_.classes[entry];
    } else {
        const std::span<const double> numbers = numbers_at(label);
        for (std::size_t t = 0; t < numbers.size(); ++t)
            is_same = is_same &&
                      static_cast<float>(numbers[t]) == set_.targets[entry * numbers.size() + t];
    }
    if (is_same) repeated_.add_same(set_.rows[entry], file);
    if (!is_same) repeated_.add_other(set_.rows[entry], file);
}

void TrainingSetBuilder::count_classes() {
    set_.outputs = known_classes_;
    if (known_classes_ > 0 || set_.classes.empty()) return;
    set_.outputs = std::int64_t{*std::ranges::max_element(set_.classes)} + 1;
}

// The pool's rows of the labels just taken.
std::vector<RowId> TrainingSetBuilder::rows_in_pool(const pool::Pool& labels,
                                                    const std::vector<RowId>& chosen) const {
    std::vector<RowId> rows(set_.rows.end() - std::ssize(chosen), set_.rows.end());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i] < pool_->num_rows) continue;
        fail(pool::location_text(labels.get("row", ""), chosen[i]),
             "row " + std::to_string(rows[i]) + " is not in the pool, which has " +
                 std::to_string(pool_->num_rows) + " rows; give the pool the labels were made for");
    }
    return rows;
}

void TrainingSetBuilder::add_features(const pool::Pool& labels, const std::vector<RowId>& chosen) {
    const Dataset* own = labels.find("features");
    if (own == nullptr && pool_ == nullptr) {
        fail(labels.source.files.front(),
             "has no dataset features; give the pool the labels are of with --pool");
    }
    const Dataset& features = own != nullptr ? *own : pool_->get("features", "training");
    const std::int64_t dim = features.row_elements();
    if (set_.dim == 0) set_.dim = dim;
    if (dim != set_.dim) {
        fail(pool::location_text(features, 0),
             "has " + std::to_string(dim) + " features a row, labels before have " +
                 std::to_string(set_.dim) + "; give labels of one pool");
    }
    append_rows(own != nullptr ? chosen : rows_in_pool(labels, chosen), dim, set_.features,
                [&](const std::vector<RowId>& rows) { return finite_features(features, rows); });
}

void TrainingSetBuilder::add_items(const pool::Pool& labels, const std::vector<RowId>& chosen) {
    add_ids(labels, chosen);
    add_inputs(labels, chosen);
}

void TrainingSetBuilder::add_ids(const pool::Pool& labels, const std::vector<RowId>& chosen) {
    const Dataset* own = labels.find("id");
    const Dataset* ids = own == nullptr && pool_ != nullptr ? pool_->find("ids") : own;
    if (ids == nullptr) {
        for (auto row = set_.rows.end() - std::ssize(chosen); row != set_.rows.end(); ++row)
            items_.ids.push_back(std::to_string(*row));
        return;
    }
    append_rows(own != nullptr ? chosen : rows_in_pool(labels, chosen), 1, items_.ids,
                [&](const std::vector<RowId>& rows) {
                    pool::RowReader::Scratch scratch;
                    return pool::RowReader(*ids).gather_text(rows, scratch);
                });
}

void TrainingSetBuilder::add_inputs(const pool::Pool& labels, const std::vector<RowId>& chosen) {
    const Dataset* own = labels.find("inputs");
    const Dataset* inputs = own == nullptr && pool_ != nullptr ? pool_->find("inputs") : own;
    inputs_known_ = inputs_known_ && inputs != nullptr &&
                    (items_.num_inputs == 0 || items_.num_inputs == inputs->row_elements());
    if (!inputs_known_) return;
    items_.num_inputs = inputs->row_elements();
    items_.input_names = attribute(*inputs, "names", items_.num_inputs);
    items_.input_units = attribute(*inputs, "units", items_.num_inputs);
    append_rows(
        own != nullptr ? chosen : rows_in_pool(labels, chosen), items_.num_inputs, items_.inputs,
        [&](const std::vector<RowId>& rows) {
            std::vector<double> values(rows.size() * static_cast<std::size_t>(items_.num_inputs));
            pool::RowReader::Scratch scratch;
            pool::RowReader(*inputs).gather_doubles(rows, values, scratch);
            return values;
        });
}

}  // namespace sluice::labels
