#include "campaign/trainer_labels.hpp"

#include "h5/output_file.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace sluice::campaign {
namespace {

template <typename T>
void write(h5::OutputFile& file, const std::string& name, const std::vector<T>& values,
           const std::vector<std::int64_t>& dims) {
    file.write_dataset(name, std::span<const T>(values), dims);
}

void write_list(h5::OutputFile& file, const std::string& object, const std::string& name,
                const std::vector<std::string>& values) {
    if (!values.empty()) file.set_attribute(object, name, std::span<const std::string>(values));
}

// A trainer must know which labels not to judge itself by.
void write_weights(h5::OutputFile& file, const model::TrainingSet& set) {
    std::vector<float> weights;
    std::vector<std::int32_t> pseudo;
    for (std::int64_t entry = 0; entry < set.size(); ++entry) {
        weights.push_back(set.weight(entry));
        pseudo.push_back(set.is_pseudo(entry) ? 1 : 0);
    }
    write(file, "weight", weights, {set.size()});
    write(file, "pseudo", pseudo, {set.size()});
}

}  // namespace

std::vector<std::byte> trainer_labels_image(const model::TrainingSet& set,
                                            const labels::LabeledItems& items) {
    const std::int64_t labels = set.size();
    h5::OutputFile file = h5::OutputFile::in_memory("labels.h5");
    file.set_attribute("/", "format", std::string("sluice-labels"));
    file.set_attribute("/", "format_version", std::int64_t{1});
    write(file, "row", set.rows, {labels});
    file.write_text_dataset("id", items.ids, h5::TextStorage::variable);
    write(file, "round", items.rounds, {labels});
    write(file, "features", set.features, {labels, set.dim});
    if (!set.pseudo.empty()) write_weights(file, set);
    if (items.num_inputs > 0) {
        write(file, "inputs", items.inputs, {labels, items.num_inputs});
        write_list(file, "inputs", "names", items.input_names);
        write_list(file, "inputs", "units", items.input_units);
    }
    if (set.task == model::Task::classification) {
        write(file, "y", set.classes, {labels});
        return file.take_image();
    }
    write(file, "y", items.y, {labels, set.outputs});
    write_list(file, "y", "names", set.target_names);
    write_list(file, "y", "units", set.target_units);
    return file.take_image();
}

}  // namespace sluice::campaign
