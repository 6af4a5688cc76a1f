#pragma once

#include "h5/raw_file.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace sluice::h5 {

/// The data of the first message of type `wanted` in the object header at `address` (relative to
/// the base), versions 1 and 2, continuation blocks included; nothing if there is none.
/// Throws Error(bad_data) for a damaged header.
/// \source HDF5 File Format Specification 3.0, section IV.A.1.
std::optional<std::vector<std::byte>> find_message(const RawFile& file, std::uint64_t address,
                                                   std::uint64_t wanted);

}  // namespace sluice::h5
