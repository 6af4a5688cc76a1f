#pragma once

#include "queue/publish.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace sluice::test {

/// A batch that depends on `id`, and on the queue only through the rows already issued: the first
/// `num_items` of rows 0, 10, 20, ... that are free, with scores, distances, features [2] and
/// inputs [2]. Two items a ticket.
inline queue::Batch sample_batch(const std::string& id, const std::vector<RowId>& issued,
                                 std::size_t num_items = 3) {
    queue::Batch batch;
    batch.id = id;
    for (RowId row = 0; batch.items.size() < num_items; row += 10) {
        if (std::binary_search(issued.begin(), issued.end(), row)) continue;
        const auto value = static_cast<float>(row);
        batch.items.push_back({row,
                               "item-" + std::to_string(row),
                               1.0F / (value + 3.0F),
                               std::sqrt(value),
                               {0.1 * static_cast<double>(row), -1.5e-300}});
        batch.features.insert(batch.features.end(), {value, -value});
    }
    if (num_items > 0) batch.items.front().distance = std::numeric_limits<float>::infinity();
    batch.dim = 2;
    batch.input_names = {"x", "y"};
    batch.input_units = {"angstrom", "1"};
    batch.ticket_items = 2;
    batch.manifest = R"({"score": "entropy", "options": {"seed": 7, "shortlist": 30}})";
    batch.provenance = R"({"host": "node"})";
    batch.pool_fingerprint = "pool-" + id;
    return batch;
}

}  // namespace sluice::test
