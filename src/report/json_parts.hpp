#pragma once

#include "report/report_data.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <optional>

namespace sluice::report {

using Json = nlohmann::ordered_json;

/// A number, or null where it is not known.
inline Json number_json(double value) {
    return std::isfinite(value) ? Json(value) : Json();
}
inline Json number_json(const std::optional<double>& value) {
    return value ? number_json(*value) : Json();
}

/// What the pool's sample tells.
Json pool_json(const PoolView& pool);

/// Items by state, and how long they wait.
Json queues_json(const std::vector<QueueView>& queues);

}  // namespace sluice::report
