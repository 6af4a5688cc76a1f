#pragma once

#include "h5/inspect.hpp"

// For the files of src/h5 only.

namespace sluice::h5 {

/// Describes an HDF5 type.
TypeInfo describe_type(const Handle& type, const std::string& where);

}  // namespace sluice::h5
