#include "core/partition.hpp"

#include <algorithm>

namespace sluice {

RowRange part_of_rows(RowId num_rows, int part, int num_parts, std::int64_t granule) {
    const std::int64_t num_granules = (num_rows + granule - 1) / granule;
    const std::int64_t base = num_granules / num_parts;
    const std::int64_t extra = num_granules % num_parts;
    const auto border = [&](std::int64_t index) {
        return std::min(num_rows, (index * base + std::min(index, extra)) * granule);
    };
    return {border(part), border(part + 1)};
}

}  // namespace sluice
