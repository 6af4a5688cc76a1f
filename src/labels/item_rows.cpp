#include "labels/item_rows.hpp"

#include "core/error.hpp"

#include <algorithm>

namespace sluice::labels {
namespace {

constexpr std::int64_t block_bytes = std::int64_t{2} << 20;
constexpr std::int64_t id_bytes = 64;  // a guess that only decides how many items a block has

// Columns of a dataset [N, columns]; 0 if there is none.
std::int64_t num_columns(const h5::InputFile& file, const std::string& dataset) {
    return file.has(dataset) ? file.dims(dataset).back() : 0;
}

std::vector<std::string> list_or_none(const h5::InputFile& file, const std::string& name) {
    return file.attribute_list("inputs", name).value_or(std::vector<std::string>());
}

ItemShape read_shape(const h5::InputFile& file) {
    ItemShape shape;
    shape.dim = num_columns(file, "features");
    shape.num_inputs = num_columns(file, "inputs");
    if (shape.num_inputs == 0) return shape;
    shape.input_names = list_or_none(file, "names");
    shape.input_units = list_or_none(file, "units");
    return shape;
}

}  // namespace

ItemRows::ItemRows(const std::string& items_path, std::int64_t num_items)
    : file_(items_path), num_items_(num_items), shape_(read_shape(file_)) {
    require(file_.dims("row") == std::vector<std::int64_t>{num_items}, ExitCode::bad_data,
            items_path +
                ": does not have the items that its manifest names; restore it from a "
                "backup");
}

void ItemRows::load(RowRange items) {
    if (items.begin >= loaded_.begin && items.end <= loaded_.end) return;
    const std::int64_t item_bytes = 4 * shape_.dim + 8 * shape_.num_inputs + id_bytes;
    const std::int64_t count = std::max(items.size(), block_bytes / item_bytes);
    const RowRange block{items.begin, std::min(num_items_, items.begin + count)};
    loaded_ = {};
    rows_ = file_.integers("row", block);
    ids_ = file_.text("id", block);
    if (shape_.dim > 0) features_ = file_.floats("features", block);
    if (shape_.num_inputs > 0) inputs_ = file_.doubles("inputs", block);
    loaded_ = block;
}

std::span<const float> ItemRows::features(std::int64_t item) const {
    const auto dim = static_cast<std::size_t>(shape_.dim);
    return {features_.data() + index(item) * dim, dim};
}

std::span<const double> ItemRows::inputs(std::int64_t item) const {
    const auto num_inputs = static_cast<std::size_t>(shape_.num_inputs);
    return {inputs_.data() + index(item) * num_inputs, num_inputs};
}

}  // namespace sluice::labels
