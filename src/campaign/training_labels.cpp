#include "campaign/training_labels.hpp"

#include "campaign/label_files.hpp"
#include "campaign/model_archive.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "pool/row_reader.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <unordered_set>

namespace sluice::campaign {
namespace {

using model::Task;
using model::TrainingSet;

[[noreturn]] void fail(const std::string& place, const std::string& what) {
    throw Error(ExitCode::bad_data, place + ": " + what);
}

// A labels file, opened with all that training may want of it.
pool::Pool open_labels(const std::string& file) {
    pool::PoolSource source;
    source.files = {file};
    source.datasets = {{"row", "/row"}, {"y", "/y"}};
    source.optional_datasets = {{"round", "/round"}};
    comm::Communicator alone;
    return pool::open_pool(source, alone);
}

std::vector<std::int64_t> integers_of(const pool::Dataset& dataset) {
    if (!is_integer(dataset.type) || dataset.row_elements() != 1) {
        fail(pool::location_text(dataset, 0), "has type " + pool::element_name(dataset.type) +
                                                  "; a labels file needs integers [L] here");
    }
    std::vector<std::int64_t> values(static_cast<std::size_t>(dataset.num_rows));
    pool::RowReader::Scratch scratch;
    pool::RowReader(dataset).gather_integers(all_rows(dataset.num_rows), values, scratch);
    return values;
}

// Puts labels together, file by file.
class SetBuilder {
  public:
    /// `num_classes` 0 = as many as are seen.
    SetBuilder(const pool::Pool* pool, std::int64_t num_classes)
        : pool_(pool),
          known_classes_(num_classes),
          last_class_((num_classes > 0 ? num_classes : most_classes) - 1) {}

    void add(const std::string& file, const LabelSource& source) {
        const pool::Pool labels = open_labels(file);
        const pool::Dataset& y = labels.get("y", "training");
        learn_task(y, file);
        const std::vector<std::int64_t> rows = integers_of(labels.get("row", "training"));
        std::vector<std::int64_t> rounds(rows.size(), 0);
        if (const pool::Dataset* round = labels.find("round")) rounds = integers_of(*round);
        read_labels(y);
        std::vector<RowId> chosen;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const bool wanted = rounds[i] >= source.first_round && rounds[i] <= source.last_round;
            if (!wanted || is_missing(i)) continue;
            if (rows[i] < 0) {
                fail(pool::location_text(labels.get("row", ""), static_cast<RowId>(i)),
                     "is negative (" + std::to_string(rows[i]) + "); repair the labels");
            }
            if (!seen_.insert(rows[i]).second) continue;
            take_label(y, i);
            set_.rows.push_back(rows[i]);
            chosen.push_back(static_cast<RowId>(i));
        }
        add_features(labels, chosen);
    }

    TrainingSet finish() {
        if (set_.task == Task::classification) count_classes();
        std::vector<std::int64_t> order(set_.rows.size());
        std::iota(order.begin(), order.end(), std::int64_t{0});
        std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
            return set_.rows[static_cast<std::size_t>(a)] < set_.rows[static_cast<std::size_t>(b)];
        });
        reorder(order, 1, set_.rows);
        reorder(order, set_.dim, set_.features);
        if (set_.task == Task::classification) reorder(order, 1, set_.classes);
        if (set_.task == Task::regression) reorder(order, set_.outputs, set_.targets);
        return std::move(set_);
    }

  private:
    void learn_task(const pool::Dataset& y, const std::string& file) {
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
                 std::string("holds ") + (classes ? "classes" : "numbers") + ", but " +
                     first_file_ + " holds " + (classes ? "numbers" : "classes") +
                     "; give labels of one kind");
        }
        if (width != set_.outputs && !classes) {
            fail(pool::location_text(y, 0),
                 "has " + std::to_string(width) + " numbers a label, " + first_file_ + " has " +
                     std::to_string(set_.outputs) + "; give labels of one kind");
        }
    }

    static std::vector<std::string> attribute(const pool::Dataset& y, const std::string& name,
                                              std::int64_t width) {
        const auto found = y.attributes.find(name);
        if (found == y.attributes.end() || std::ssize(found->second) != width) return {};
        return found->second;
    }

    void read_labels(const pool::Dataset& y) {
        classes_.clear();
        numbers_.clear();
        if (set_.task == Task::classification) {
            classes_ = integers_of(y);
            return;
        }
        numbers_.resize(static_cast<std::size_t>(y.num_rows * y.row_elements()));
        pool::RowReader::Scratch scratch;
        pool::RowReader(y).gather_doubles(all_rows(y.num_rows), numbers_, scratch);
    }

    std::span<const double> numbers_at(std::size_t label) const {
        const auto width = static_cast<std::size_t>(set_.outputs);
        return std::span(numbers_).subspan(label * width, width);
    }

    bool is_missing(std::size_t label) const {
        if (set_.task == Task::classification) return classes_[label] == missing_label;
        return std::ranges::all_of(numbers_at(label), [](double x) { return std::isnan(x); });
    }

    void take_label(const pool::Dataset& y, std::size_t label) {
        const auto place = [&] { return pool::location_text(y, static_cast<RowId>(label)); };
        if (set_.task == Task::classification) {
            const std::int64_t own = classes_[label];
            if (own < 0 || own > last_class_) {
                fail(place(), "class " + std::to_string(own) + " is not from 0 to " +
                                  std::to_string(last_class_) + "; " +
                                  (own > 0 && known_classes_ > 0
                                       ? "give --classes as many as there are"
                                       : "number the classes from 0 on, -1 = no label yet"));
            }
            set_.classes.push_back(static_cast<std::int32_t>(own));
            return;
        }
        for (std::size_t t = 0; t < numbers_at(label).size(); ++t) {
            const double number = numbers_at(label)[t];
            const auto target = static_cast<float>(number);
            if (!std::isfinite(target)) {
                fail(place(), "target " + std::to_string(t) + " is " + number_text(number) +
                                  " (must be finite in float32); repair the label, or make all of "
                                  "it NaN = no label yet");
            }
            set_.targets.push_back(target);
        }
    }

    // Of the labels just taken: from their file, else from the pool.
    void add_features(const pool::Pool& labels, const std::vector<RowId>& chosen) {
        if (chosen.empty()) return;
        if (const pool::Dataset* features = labels.find("features")) {
            return gather(*features, chosen);
        }
        if (pool_ == nullptr) {
            fail(labels.source.files.front(),
                 "has no dataset features; give the pool the labels are of with --pool");
        }
        const pool::Dataset& features = pool_->get("features", "training");
        std::vector<RowId> rows(set_.rows.end() - std::ssize(chosen), set_.rows.end());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (rows[i] >= pool_->num_rows) {
                fail(pool::location_text(labels.get("row", ""), chosen[i]),
                     "row " + std::to_string(rows[i]) + " is not in the pool, which has " +
                         std::to_string(pool_->num_rows) +
                         " rows; give the pool the labels were made for");
            }
        }
        gather_in_any_order(features, rows);
    }

    void gather_in_any_order(const pool::Dataset& features, const std::vector<RowId>& rows) {
        std::vector<std::int64_t> order(rows.size());
        std::iota(order.begin(), order.end(), std::int64_t{0});
        std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
            return rows[static_cast<std::size_t>(a)] < rows[static_cast<std::size_t>(b)];
        });
        std::vector<RowId> ascending(rows);
        reorder(order, 1, ascending);
        const std::size_t before = set_.features.size();
        gather(features, ascending);
        const auto dim = static_cast<std::size_t>(set_.dim);
        const std::vector<float> sorted(set_.features.begin() + static_cast<std::ptrdiff_t>(before),
                                        set_.features.end());
        for (std::size_t i = 0; i < order.size(); ++i) {
            std::copy_n(sorted.data() + i * dim, dim,
                        set_.features.data() + before + static_cast<std::size_t>(order[i]) * dim);
        }
    }

    // Appends the features of ascending rows of a dataset.
    void gather(const pool::Dataset& features, const std::vector<RowId>& rows) {
        const std::int64_t dim = features.row_elements();
        if (set_.dim == 0) set_.dim = dim;
        if (dim != set_.dim) {
            fail(pool::location_text(features, 0),
                 "has " + std::to_string(dim) + " features a row, labels before have " +
                     std::to_string(set_.dim) + "; give labels of one pool");
        }
        const std::size_t before = set_.features.size();
        set_.features.resize(before + rows.size() * static_cast<std::size_t>(dim));
        pool::RowReader::Scratch scratch;
        const std::span<float> added = std::span(set_.features).subspan(before);
        pool::RowReader(features).gather(rows, added, scratch);
        for (std::size_t i = 0; i < added.size(); ++i) {
            if (std::isfinite(added[i])) continue;
            const std::size_t row = i / static_cast<std::size_t>(dim);
            fail(pool::location_text(features, rows[row]),
                 "feature " + std::to_string(i % static_cast<std::size_t>(dim)) + " is " +
                     number_text(added[i]) + " (must be finite); repair the row");
        }
    }

    void count_classes() {
        set_.outputs = known_classes_;
        if (known_classes_ > 0 || set_.classes.empty()) return;
        set_.outputs = std::int64_t{*std::ranges::max_element(set_.classes)} + 1;
    }

    template <typename T>
    static void reorder(const std::vector<std::int64_t>& order, std::int64_t width,
                        std::vector<T>& values) {
        std::vector<T> result;
        result.reserve(values.size());
        for (const std::int64_t entry : order) {
            const auto begin = values.begin() + entry * width;
            result.insert(result.end(), begin, begin + width);
        }
        values = std::move(result);
    }

    static constexpr std::int64_t most_classes = std::int64_t{1} << 24;

    const pool::Pool* pool_;
    std::int64_t known_classes_;
    std::int64_t last_class_;
    TrainingSet set_;
    std::string first_file_;
    std::vector<std::int64_t> classes_;  // of the file being read
    std::vector<double> numbers_;
    std::unordered_set<RowId> seen_;
};

TrainingSet read_here(const std::vector<LabelSource>& sources, const pool::Pool* pool,
                      std::int64_t num_classes) {
    SetBuilder builder(pool, num_classes);
    std::string names;
    for (const LabelSource& source : sources) {
        names += (names.empty() ? "" : ", ") + source.path;
        const std::vector<std::string> files = label_files(source.path);
        require(!files.empty(), ExitCode::no_input,
                source.path + ": holds no labels.g*.h5; run 'sluice ingest' first");
        for (const std::string& file : files)
            builder.add(file, source);
    }
    TrainingSet set = builder.finish();
    set.source = names;
    return set;
}

}  // namespace

model::TrainingSet read_training_set(const std::vector<LabelSource>& sources,
                                     const pool::Pool* pool, std::int64_t num_classes,
                                     comm::Communicator& world) {
    std::string bytes;
    world.agree([&] {
        if (world.is_root()) bytes = pool::pack(read_here(sources, pool, num_classes));
    });
    world.broadcast(bytes);
    return pool::unpack<TrainingSet>(bytes);
}

}  // namespace sluice::campaign
