#include "h5/calls.hpp"

#include "core/text.hpp"
#include "core/trouble.hpp"

#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <type_traits>
#include <utility>

namespace sluice::h5 {
namespace {

static_assert(std::is_same_v<hid_t, Id>, "Handle spells out hid_t");

constexpr std::size_t max_stack_text = 600;

// Walks from the outermost call inwards; the texts repeat a lot, so each is kept once.
herr_t add_entry(unsigned, const H5E_error2_t* entry, void* client) {
    auto& text = *static_cast<std::string*>(client);
    const std::string description = entry->desc != nullptr ? entry->desc : "";
    if (description.empty() || text.find(description) != std::string::npos) return 0;
    if (text.size() + description.size() > max_stack_text) return 0;
    if (!text.empty()) text += ": ";
    text += description;
    return 0;
}

// errno of the system call that made the library fail, if it says so; else 0.
int system_error_number(const std::string& stack) {
    static constexpr std::string_view key = "errno = ";
    const std::size_t found = stack.find(key);
    return found == std::string::npos ? 0 : std::atoi(stack.c_str() + found + key.size());
}

}  // namespace

Handle::~Handle() {
    if (valid()) close_function_(id_);
}

Handle::Handle(Handle&& other) noexcept
    : id_(std::exchange(other.id_, -1)), close_function_(other.close_function_) {}

Handle& Handle::operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_function_, other.close_function_);
    return *this;
}

void Handle::close(const std::string& where) {
    if (valid()) check(close_function_(std::exchange(id_, -1)), where, ExitCode::io_error);
}

void Handle::close_or_note(const std::string& where) noexcept {
    try {
        close(where);
    } catch (const Error& error) {
        note_trouble(error);
    }
}

void start_library() {
    static const bool started = [] {
        H5dont_atexit();
        H5open();
        H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
        H5PLset_loading_state(0);
        return true;
    }();
    static_cast<void>(started);
}

std::string take_error_stack() {
    std::string text;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, add_entry, &text);
    H5Eclear2(H5E_DEFAULT);
    return text.empty() ? "the library gave no reason" : printable(text);
}

void throw_stack(const std::string& where, ExitCode code) {
    const std::string stack = take_error_stack();
    const int error_number = system_error_number(stack);
    // A limit of this process says nothing about the file; other errors of reading may.
    const bool is_limit =
        error_number == EMFILE || error_number == ENFILE || error_number == ENOMEM;
    if (is_limit || (code == ExitCode::io_error && error_number != 0)) {
        throw system_error(where, "HDF5 failed", error_number);
    }
    throw Error(code, where + ": HDF5: " + stack);
}

Handle own(hid_t id, Handle::CloseFunction close, const std::string& where, ExitCode code) {
    return {check(id, where, code), close};
}

Handle own_type(hid_t id, const std::string& where) {
    return own(id, H5Tclose, where);
}
Handle own_space(hid_t id, const std::string& where) {
    return own(id, H5Sclose, where);
}
Handle own_properties(hid_t id, const std::string& where) {
    return own(id, H5Pclose, where);
}

Handle own_dataset(hid_t id, const std::string& where, ExitCode code) {
    return own(id, H5Dclose, where, code);
}

Handle own_attribute(hid_t id, const std::string& where, ExitCode code) {
    return own(id, H5Aclose, where, code);
}

Handle open_attribute(const Handle& file, const std::string& object, const std::string& name,
                      const std::string& where) {
    const hid_t id = file.get();
    if (check(H5Aexists_by_name(id, object.c_str(), name.c_str(), H5P_DEFAULT), where) == 0) {
        return {};
    }
    return own_attribute(
        H5Aopen_by_name(id, object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT), where);
}

Handle make_space(const hsize_t* dims, int rank, const std::string& where) {
    return own_space(rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, dims, nullptr),
                     where);
}

Handle unlocked_access(const std::string& where) {
    Handle properties = own_properties(H5Pcreate(H5P_FILE_ACCESS), where);
    check(H5Pset_file_locking(properties.get(), false, true), where);
    // Large new objects start on a page: copying them out of the page cache is faster then.
    constexpr hsize_t large_bytes = hsize_t{64} << 10;
    constexpr hsize_t page_bytes = 4096;
    check(H5Pset_alignment(properties.get(), large_bytes, page_bytes), where);
    return properties;
}

}  // namespace sluice::h5
