#pragma once

#include "comm/communicator.hpp"
#include "pool/dataset.hpp"
#include "select/input_box.hpp"
#include "select/plan.hpp"

#include <cstdint>

namespace sluice::select {

/// How features are streamed.
struct FeatureReading {
    BadRows bad_rows = BadRows::refuse;  ///< rows with a value that is not finite
    int num_threads = 1;
    std::int64_t block_rows = 1;
};

/// The box that a pool's features lie in: each from its lowest value to its highest (one float32
/// more where all are equal). Streams the pool once; the same box for any number of ranks and
/// threads. Throws AgreedError: bad_data naming a bad row, or a pool without rows. \collective
InputBox box_of_features(const pool::Dataset& features, const FeatureReading& reading,
                         comm::Communicator& world);

}  // namespace sluice::select
