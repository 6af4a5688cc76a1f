#pragma once

#include "h5/handle.hpp"

#include <functional>
#include <string>
#include <vector>

// For the files of src/h5 only.

namespace sluice::h5 {

/// Reads `count` strings whose file type is `file_type` (fixed or variable length): `read` is
/// called once, with the memory type and the buffer to give to H5Dread or H5Aread.
std::vector<std::string> read_strings(const Handle& file_type, std::size_t count,
                                      const std::string& where,
                                      const std::function<int(Id memory_type, void* buffer)>& read);

/// An attribute's strings; throws Error(bad_data) if it is no string or larger than `max_bytes`.
std::vector<std::string> read_attribute_strings(const Handle& attribute, std::size_t max_bytes,
                                                const std::string& where);

}  // namespace sluice::h5
