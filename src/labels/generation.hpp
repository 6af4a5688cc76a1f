#pragma once

#include "core/types.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::labels {

/// What the labels of all generations have in common.
struct LabelShape {
    enum class Kind { unknown, class_index, numbers };

    Kind kind = Kind::unknown;
    std::int64_t width = 0;          ///< numbers in a label; 1 for a class
    std::vector<std::string> units;  ///< [width], or empty if nobody named any

    bool operator==(const LabelShape&) const = default;
};

/// What the items of one generation have in common.
struct ItemShape {
    std::int64_t dim = 0;         ///< features of an item; 0 = the batch has none
    std::int64_t num_inputs = 0;  ///< inputs of an item; 0 = the batch has none
    std::vector<std::string> input_names;
    std::vector<std::string> input_units;

    bool operator==(const ItemShape&) const = default;
};

/// Labels, column by column: entry i of each is about label i.
struct LabelColumns {
    std::vector<RowId> row;
    std::vector<std::string> id;
    std::vector<float> features;  ///< [L, dim]
    std::vector<double> inputs;   ///< [L, num_inputs]
    std::vector<double> y;        ///< [L, width]
    std::vector<std::string> source;
    std::vector<std::int64_t> round;
    std::vector<double> cost;
    std::vector<std::string> oracle;
    std::vector<std::string> batch;
    std::vector<std::int64_t> item;
    std::vector<std::int32_t> repeats;
    std::vector<float> agreement;
};

/// One label file: new labels, and what became of the result files it was made from.
struct Generation {
    LabelShape label_shape;
    ItemShape item_shape;
    LabelColumns labels;
    std::vector<std::string> files;      ///< names of the result files
    std::vector<std::string> conflicts;  ///< lines of its conflicts file
    std::int64_t num_conflicts = 0;      ///< labels in them that contradict one that counts
};

/// Publishes a generation under its number: synced, read back and verified, then linked to its
/// final name. Throws Error(try_again) if that number is taken. Returns its path.
std::string publish_generation(const std::string& directory, std::int64_t number,
                               const Generation& generation);

/// What ingest has to know of a generation: all but its labels. A file made by other means may
/// lack everything but `row`.
Generation read_generation_facts(const std::string& path);

/// Labels of a generation by item.
struct ItemLabels {
    std::vector<std::string> batch;
    std::vector<std::int64_t> item;
    std::vector<double> y;  ///< [L, width]
    std::int64_t width = 0;
};

/// Empty for a file that does not say which items its labels are of.
ItemLabels read_item_labels(const std::string& path);

}  // namespace sluice::labels
