#pragma once

#include <cstdint>
#include <string>

namespace sluice::h5 {

/// HDF5's identifier type (hid_t), spelled out so that <hdf5.h> stays inside src/h5.
using Id = std::int64_t;

/// Owns one HDF5 identifier. The destructor closes it and ignores errors; close() reports them.
class Handle {
  public:
    using CloseFunction = int (*)(Id);

    Handle() = default;
    Handle(Id id, CloseFunction close_function) : id_(id), close_function_(close_function) {}
    ~Handle();
    Handle(Handle&& other) noexcept;
    Handle& operator=(Handle&& other) noexcept;

    Id get() const { return id_; }
    bool valid() const { return id_ >= 0; }

    /// Closes now. Throws Error(io_error), naming `where`, when HDF5 reports a failure: a full
    /// disk may show here and nowhere else.
    void close(const std::string& where);

    /// The same for what was only read: a failure is noted (core/trouble.hpp).
    void close_or_note(const std::string& where) noexcept;

  private:
    Id id_ = -1;
    CloseFunction close_function_ = nullptr;
};

}  // namespace sluice::h5
