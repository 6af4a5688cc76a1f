#include "campaign/batch_items.hpp"

#include "pool/row_reader.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <vector>

namespace sluice::campaign {
namespace {

// Reads rows of a dataset in ascending order, as readers want them, and gives them back in the
// order of the selection.
template <typename Value, typename Gather>
std::vector<Value> in_selection_order(const std::vector<RowId>& rows, std::int64_t width,
                                      const Gather& gather) {
    std::vector<std::size_t> order(rows.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t left, std::size_t right) { return rows[left] < rows[right]; });
    std::vector<RowId> ascending;
    for (const std::size_t index : order)
        ascending.push_back(rows[index]);
    const std::vector<Value> values = gather(ascending);
    std::vector<Value> result(values.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i) * width, width,
                    result.begin() + static_cast<std::ptrdiff_t>(order[i]) * width);
    }
    return result;
}

std::vector<double> inputs_of(const pool::Dataset& inputs, const std::vector<RowId>& rows) {
    const std::int64_t width = inputs.row_elements();
    return in_selection_order<double>(rows, width, [&](const std::vector<RowId>& ascending) {
        std::vector<double> values(ascending.size() * static_cast<std::size_t>(width));
        pool::RowReader::Scratch scratch;
        pool::RowReader(inputs).gather_doubles(ascending, values, scratch);
        return values;
    });
}

std::vector<float> features_of(const pool::Dataset& features, const std::vector<RowId>& rows) {
    const std::int64_t width = features.row_elements();
    return in_selection_order<float>(rows, width, [&](const std::vector<RowId>& ascending) {
        std::vector<float> values(ascending.size() * static_cast<std::size_t>(width));
        pool::RowReader::Scratch scratch;
        pool::RowReader(features).gather(ascending, values, scratch);
        return values;
    });
}

std::vector<std::string> attribute_of(const pool::Dataset& dataset, const std::string& name) {
    const auto found = dataset.attributes.find(name);
    return found == dataset.attributes.end() ? std::vector<std::string>() : found->second;
}

void add_reason(const select::Selected& selected, queue::BatchItem& item) {
    item.reason = selected.reason;
    item.nearest = selected.nearest;
    item.nearest_distance = selected.nearest_distance;
}

// The batch's rows: those selected, or all instances of those selected, side by side.
std::vector<queue::BatchItem> items_of(const select::Selection& selection) {
    std::vector<queue::BatchItem> items;
    if (selection.instances.empty()) {
        for (const select::Selected& selected : selection.rows)
            items.push_back({selected.row, {}, selected.score, selected.distance, {}});
        for (std::size_t i = 0; i < items.size(); ++i)
            add_reason(selection.rows[i], items[i]);
    }
    for (const select::Instance& instance : selection.instances) {
        const select::Selected& selected = selection.rows[static_cast<std::size_t>(instance.pick)];
        items.push_back({instance.row,
                         {},
                         selected.score,
                         selected.distance,
                         {},
                         instance.group,
                         instance.score});
        add_reason(selected, items.back());
    }
    return items;
}

}  // namespace

std::vector<std::string> ids_of_rows(const pool::Pool& pool, const std::vector<RowId>& rows) {
    const pool::Dataset* ids = pool.find("ids");
    std::vector<std::string> result;
    if (ids == nullptr) {
        for (const RowId row : rows)
            result.push_back(std::to_string(row));
        return result;
    }
    return in_selection_order<std::string>(rows, 1, [&](const std::vector<RowId>& ascending) {
        pool::RowReader::Scratch scratch;
        return pool::RowReader(*ids).gather_text(ascending, scratch);
    });
}

queue::Batch assemble_batch(const pool::Pool& pool, const select::Selection& selection,
                            std::int64_t ticket_items) {
    queue::Batch batch;
    batch.ticket_items = ticket_items;
    batch.items = items_of(selection);
    std::vector<RowId> rows;
    for (const queue::BatchItem& item : batch.items)
        rows.push_back(item.row);
    const std::vector<std::string> ids = ids_of_rows(pool, rows);
    for (std::size_t i = 0; i < rows.size(); ++i)
        batch.items[i].id = ids[i];
    if (const pool::Dataset* inputs = pool.find("inputs")) {
        const std::vector<double> values = inputs_of(*inputs, rows);
        const auto width = static_cast<std::ptrdiff_t>(inputs->row_elements());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto begin = values.begin() + static_cast<std::ptrdiff_t>(i) * width;
            batch.items[i].inputs.assign(begin, begin + width);
        }
        batch.input_names = attribute_of(*inputs, "names");
        batch.input_units = attribute_of(*inputs, "units");
    }
    if (const pool::Dataset* features = pool.find("features")) {
        batch.features = features_of(*features, rows);
        batch.dim = features->row_elements();
    }
    return batch;
}

}  // namespace sluice::campaign
