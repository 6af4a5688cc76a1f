#include "queue/items_file.hpp"

#include "h5/output_file.hpp"

#include <span>

namespace sluice::queue {
namespace {

constexpr std::int64_t format_version = 1;

// One member of every item, as a column.
template <typename T>
std::vector<T> column(const Batch& batch, T BatchItem::*member) {
    std::vector<T> values;
    values.reserve(batch.items.size());
    for (const BatchItem& item : batch.items)
        values.push_back(item.*member);
    return values;
}

template <typename T>
void write_column(h5::OutputFile& file, const std::string& name, const std::vector<T>& values,
                  const std::vector<std::int64_t>& dims) {
    file.write_dataset(name, std::span<const T>(values), dims);
}

// [items * P] as one block.
std::vector<double> all_inputs(const Batch& batch) {
    std::vector<double> values;
    for (const BatchItem& item : batch.items) {
        values.insert(values.end(), item.inputs.begin(), item.inputs.end());
    }
    return values;
}

void write_inputs(h5::OutputFile& file, const Batch& batch, std::int64_t num_items) {
    const std::size_t num_inputs =
        batch.items.empty() ? batch.input_names.size() : batch.items.front().inputs.size();
    if (num_inputs == 0) return;
    write_column(file, "inputs", all_inputs(batch),
                 {num_items, static_cast<std::int64_t>(num_inputs)});
    if (!batch.input_names.empty()) {
        file.set_attribute("inputs", "names", std::span<const std::string>(batch.input_names));
    }
    if (!batch.input_units.empty()) {
        file.set_attribute("inputs", "units", std::span<const std::string>(batch.input_units));
    }
}

}  // namespace

std::vector<std::byte> items_file(const Batch& batch) {
    const auto num_items = static_cast<std::int64_t>(batch.items.size());
    h5::OutputFile file = h5::OutputFile::in_memory("items.h5");
    file.set_attribute("/", "format", std::string("sluice-items"));
    file.set_attribute("/", "format_version", format_version);
    write_column(file, "row", column(batch, &BatchItem::row), {num_items});
    const std::vector<std::string> ids = column(batch, &BatchItem::id);
    file.write_text_dataset("id", ids, h5::TextStorage::fixed);
    write_column(file, "score", column(batch, &BatchItem::score), {num_items});
    write_column(file, "distance", column(batch, &BatchItem::distance), {num_items});
    if (!batch.items.empty() && batch.items.front().group.has_value()) {
        std::vector<std::int64_t> groups;
        for (const BatchItem& item : batch.items)
            groups.push_back(item.group.value());
        write_column(file, "group", groups, {num_items});
        write_column(file, "instance_score", column(batch, &BatchItem::instance_score),
                     {num_items});
    }
    if (batch.dim > 0) write_column(file, "features", batch.features, {num_items, batch.dim});
    write_inputs(file, batch, num_items);
    return file.take_image();
}

}  // namespace sluice::queue
