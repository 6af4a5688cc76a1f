#include "queue/items_file.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "h5/input_file.hpp"
#include "h5/output_file.hpp"

#include <algorithm>
#include <bit>
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

// By bits: a NaN distance equals itself.
bool same_bits(const std::vector<float>& left, const std::vector<float>& right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](float a, float b) {
        return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
    });
}

// HDF5 has reported success for writes that a full disk swallowed, so the file is read back.
void verify_items_file(const std::string& path, const Batch& batch) {
    const h5::InputFile file(path);
    const bool has_inputs = !all_inputs(batch).empty();
    const bool intact = file.integers("row") == column(batch, &BatchItem::row) &&
                        file.text("id") == column(batch, &BatchItem::id) &&
                        same_bits(file.floats("score"), column(batch, &BatchItem::score)) &&
                        same_bits(file.floats("distance"), column(batch, &BatchItem::distance)) &&
                        (batch.dim == 0 || same_bits(file.floats("features"), batch.features)) &&
                        (!has_inputs || file.doubles("inputs") == all_inputs(batch));
    require(intact, ExitCode::io_error,
            path +
                ": reads back differently from what was written; see whether the file system "
                "is healthy, then run again");
}

}  // namespace

void write_items_file(const std::string& path, const Batch& batch) {
    const auto num_items = static_cast<std::int64_t>(batch.items.size());
    h5::OutputFile file(path);
    file.set_attribute("/", "format", std::string("sluice-items"));
    file.set_attribute("/", "format_version", format_version);
    write_column(file, "row", column(batch, &BatchItem::row), {num_items});
    const std::vector<std::string> ids = column(batch, &BatchItem::id);
    file.write_text_dataset("id", ids, h5::TextStorage::fixed);
    write_column(file, "score", column(batch, &BatchItem::score), {num_items});
    write_column(file, "distance", column(batch, &BatchItem::distance), {num_items});
    if (batch.dim > 0) write_column(file, "features", batch.features, {num_items, batch.dim});
    write_inputs(file, batch, num_items);
    file.close();
    sync_path(path);
    verify_items_file(path, batch);
}

}  // namespace sluice::queue
