#pragma once

#include "core/error.hpp"
#include "h5/handle.hpp"
#include "h5/library.hpp"

#include <hdf5.h>

#include <string>

// For the files of src/h5 only: it brings in <hdf5.h>.

namespace sluice::h5 {

/// Throws Error(code) `WHERE: HDF5: STACK` with HDF5's error stack, outermost call first, folded
/// into one printable line; what the file system has refused is thrown as system_error instead.
/// Clears the stack.
[[noreturn]] void throw_stack(const std::string& where, ExitCode code);

/// Passes on what an HDF5 call returned; throws with the folded error stack if it is negative.
/// `where` is the start of the message: file and dataset.
template <typename Result>
Result check(Result result, const std::string& where, ExitCode code = ExitCode::bad_data) {
    if (result < 0) throw_stack(where, code);
    return result;
}

/// check() for calls that return an identifier, which the handle then owns.
Handle own(hid_t id, Handle::CloseFunction close, const std::string& where,
           ExitCode code = ExitCode::bad_data);

Handle own_type(hid_t id, const std::string& where);
Handle own_space(hid_t id, const std::string& where);
Handle own_properties(hid_t id, const std::string& where);
Handle own_dataset(hid_t id, const std::string& where, ExitCode code = ExitCode::bad_data);
Handle own_attribute(hid_t id, const std::string& where, ExitCode code = ExitCode::bad_data);

/// Opens a file for reading. `where` is the start of the message where it is none of HDF5.
Handle open_file(const std::string& path, const std::string& where);

/// The attribute `name` of the object at path `object`; an invalid handle if there is none.
Handle open_attribute(const Handle& file, const std::string& object, const std::string& name,
                      const std::string& where);

/// A simple dataspace of these dimensions, or a scalar one for none.
Handle make_space(const hsize_t* dims, int rank, const std::string& where);

/// File access without file locks: our files are immutable once they have their name, and locks
/// fail on some parallel file systems.
Handle unlocked_access(const std::string& where);

}  // namespace sluice::h5
