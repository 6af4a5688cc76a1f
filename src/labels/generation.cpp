#include "labels/generation.hpp"

#include "core/directory.hpp"
#include "core/error.hpp"
#include "h5/input_file.hpp"
#include "h5/output_file.hpp"
#include "labels/labels_directory.hpp"
#include "queue/layout.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

namespace sluice::labels {
namespace {

constexpr std::int64_t format_version = 1;
const std::string format_name = "sluice-labels";
constexpr std::int64_t chunk_bytes = std::int64_t{1} << 20;

template <typename T>
void write_column(h5::OutputFile& file, const std::string& name, const std::vector<T>& values) {
    file.write_dataset(name, std::span<const T>(values), {std::ssize(values)});
}

// Padding all ids to one very long one would take more space than the labels.
h5::TextStorage storage_of(const std::vector<std::string>& values) {
    std::size_t longest = 0;
    std::size_t total = 0;
    for (const std::string& value : values) {
        longest = std::max(longest, value.size());
        total += value.size();
    }
    constexpr std::size_t pointer_bytes = 32;  // what a string of its own length costs besides
    return longest * values.size() <= total + pointer_bytes * values.size()
               ? h5::TextStorage::fixed
               : h5::TextStorage::variable;
}

void write_column(h5::OutputFile& file, const std::string& name,
                  const std::vector<std::string>& values) {
    file.write_text_dataset(name, values, storage_of(values));
}

// [L, width] with checksums.
template <typename T>
void write_rows(h5::OutputFile& file, const std::string& name, const std::vector<T>& values,
                std::int64_t width) {
    if (width == 0) return;
    h5::DatasetOptions options;
    const std::int64_t row_bytes = width * static_cast<std::int64_t>(sizeof(T));
    options.chunk_rows = std::max<std::int64_t>(1, chunk_bytes / row_bytes);
    options.fletcher32 = true;
    h5::OutputDataset dataset = file.create_dataset(name, h5::stored_type_of<T>(),
                                                    {std::ssize(values) / width, width}, options);
    dataset.write(std::span<const T>(values));
    dataset.close();
}

void write_list_attribute(h5::OutputFile& file, const std::string& object, const std::string& name,
                          const std::vector<std::string>& values) {
    if (values.empty()) return;
    file.set_attribute(object, name, std::span<const std::string>(values));
}

void write_labels(h5::OutputFile& file, const Generation& generation) {
    const std::vector<double>& y = generation.labels.y;
    if (generation.label_shape.kind == LabelShape::Kind::class_index) {
        std::vector<std::int32_t> classes(y.size());
        std::transform(y.begin(), y.end(), classes.begin(),
                       [](double value) { return static_cast<std::int32_t>(value); });
        write_column(file, "y", classes);
        return;
    }
    write_rows(file, "y", y, generation.label_shape.width);
    write_list_attribute(file, "y", "units", generation.label_shape.units);
}

void write_items(h5::OutputFile& file, const Generation& generation) {
    write_rows(file, "features", generation.labels.features, generation.item_shape.dim);
    write_rows(file, "inputs", generation.labels.inputs, generation.item_shape.num_inputs);
    if (generation.item_shape.num_inputs == 0) return;
    write_list_attribute(file, "inputs", "names", generation.item_shape.input_names);
    write_list_attribute(file, "inputs", "units", generation.item_shape.input_units);
}

std::vector<std::byte> image_of(const Generation& generation, std::int64_t number) {
    h5::OutputFile file = h5::OutputFile::in_memory(generation_name(number));
    file.set_attribute("/", "format", format_name);
    file.set_attribute("/", "format_version", format_version);
    file.set_attribute("/", "generation", number);
    file.set_attribute("/", "conflicts", generation.num_conflicts);
    const LabelColumns& labels = generation.labels;
    write_column(file, "row", labels.row);
    write_column(file, "id", labels.id);
    write_items(file, generation);
    write_labels(file, generation);
    write_column(file, "source", labels.source);
    write_column(file, "round", labels.round);
    write_column(file, "cost", labels.cost);
    write_column(file, "oracle", labels.oracle);
    write_column(file, "batch", labels.batch);
    write_column(file, "item", labels.item);
    write_column(file, "repeats", labels.repeats);
    write_column(file, "agreement", labels.agreement);
    write_column(file, "files", generation.files);
    if (!generation.conflicts.empty()) write_column(file, "conflicts", generation.conflicts);
    return file.take_image();
}

// The bytes are what HDF5 made; this shows that they are a file it can read.
void require_readable(const std::string& path, const Generation& generation) {
    const h5::InputFile file(path);
    require(file.integers("row") == generation.labels.row &&
                file.doubles("y") == generation.labels.y && file.text("files") == generation.files,
            ExitCode::io_error, path + ": reads back differently; check the file system");
}

std::vector<std::string> text_or_none(const h5::InputFile& file, const std::string& dataset) {
    return file.has(dataset) ? file.text(dataset) : std::vector<std::string>();
}

LabelShape read_label_shape(const h5::InputFile& file) {
    if (!file.has("y")) return {};
    const std::vector<std::int64_t> dims = file.dims("y");
    if (dims.size() != 2) return {LabelShape::Kind::class_index, 1, {}};
    return {LabelShape::Kind::numbers, dims[1],
            file.attribute_list("y", "units").value_or(std::vector<std::string>())};
}

void check_format(const h5::InputFile& file, const std::string& path) {
    const auto format = file.attribute_text("/", "format");
    const auto version = file.attribute_integer("/", "format_version");
    require(!format || (*format == format_name && version == format_version), ExitCode::bad_data,
            path +
                ": is not a labels file of format version 1; use the version of sluice that "
                "wrote it");
}

}  // namespace

std::string publish_generation(const std::string& directory, std::int64_t number,
                               const Generation& generation) {
    const std::string temporary = write_temporary(directory, image_of(generation, number));
    try {
        require_readable(temporary, generation);
    } catch (...) {
        clear_away(temporary);
        throw;
    }
    publish_exclusively(temporary, directory, generation_name(number));
    return queue::join(directory, generation_name(number));
}

Generation read_generation_facts(const std::string& path) {
    const h5::InputFile file(path);
    check_format(file, path);
    Generation generation;
    generation.label_shape = read_label_shape(file);
    generation.files = text_or_none(file, "files");
    generation.conflicts = text_or_none(file, "conflicts");
    generation.num_conflicts = file.attribute_integer("/", "conflicts").value_or(0);
    return generation;
}

ItemLabels read_item_labels(const std::string& path) {
    const h5::InputFile file(path);
    if (!file.has("batch") || !file.has("item") || !file.has("y")) return {};
    ItemLabels labels{file.text("batch"), file.integers("item"), file.doubles("y"), 1};
    const std::vector<std::int64_t> dims = file.dims("y");
    if (dims.size() == 2) labels.width = dims[1];
    const auto count = std::ssize(labels.item);
    require(std::ssize(labels.batch) == count && std::ssize(labels.y) == count * labels.width,
            ExitCode::bad_data,
            path + ": datasets batch, item and y differ in length; restore it from a backup");
    return labels;
}

}  // namespace sluice::labels
