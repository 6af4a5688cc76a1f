#pragma once

#include "labels/ingest.hpp"

#include <cstddef>
#include <cstdint>

namespace sluice::labels {

/// How much one generation may hold before the next one is begun. A ticket is never split.
struct IngestLimits {
    std::int64_t labels = 200'000;
    std::size_t bytes = std::size_t{64} << 20;  ///< in memory
};

/// ingest() with limits of the caller's.
IngestReport ingest_within(const IngestRequest& request, const IngestLimits& limits);

}  // namespace sluice::labels
