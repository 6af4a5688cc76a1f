#pragma once

#include "queue/claim.hpp"
#include "queue/result_file.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sluice::test {

/// What a worker would say about one item of sample_batch().
inline queue::ItemResult sample_result(std::int64_t item, queue::ItemStatus status) {
    queue::ItemResult result;
    result.item = item;
    result.row = 10 * item;
    result.id = "item-" + std::to_string(result.row);
    result.status = status;
    if (status == queue::ItemStatus::ok) result.y = {0.5 * static_cast<double>(item)};
    if (status != queue::ItemStatus::ok) result.reason = "because";
    result.wall_seconds = 0.25;
    return result;
}

/// The name under which the holder of a leased token hands in.
inline queue::ResultName result_name(queue::Token token, const std::string& part) {
    token.lease_seconds = 0;
    return {std::move(token), part};
}

/// Hands in one result for each (item, status).
inline void hand_in(const std::string& queue_directory, const queue::Token& token,
                    const std::vector<std::pair<std::int64_t, queue::ItemStatus>>& items,
                    const std::string& part = "p1") {
    std::vector<queue::ItemResult> results;
    for (const auto& [item, status] : items)
        results.push_back(sample_result(item, status));
    queue::publish_results(queue_directory, result_name(token, part), results);
}

}  // namespace sluice::test
