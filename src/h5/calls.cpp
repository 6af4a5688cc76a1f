#include "h5/calls.hpp"

#include "core/text.hpp"
#include "core/trouble.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <type_traits>
#include <utility>

namespace sluice::h5 {
namespace {

static_assert(std::is_same_v<hid_t, Id>, "Handle spells out hid_t");

constexpr std::size_t max_stack_text = 600;

struct Stack {
    std::string text;
    int error_number = 0;  // of the system call that made the library fail, if it says so
};

int system_error_number(const std::string& description) {
    static constexpr std::string_view key = "errno = ";
    const std::size_t found = description.find(key);
    return found == std::string::npos ? 0 : std::atoi(description.c_str() + found + key.size());
}

// Walks from the outermost call inwards; the texts repeat a lot, so each is kept once.
herr_t add_entry(unsigned, const H5E_error2_t* entry, void* client) {
    auto& [text, error_number] = *static_cast<Stack*>(client);
    const std::string description = entry->desc != nullptr ? entry->desc : "";
    if (error_number == 0) error_number = system_error_number(description);
    if (description.empty() || text.find(description) != std::string::npos) return 0;
    if (text.size() + description.size() > max_stack_text) return 0;
    if (!text.empty()) text += ": ";
    text += description;
    return 0;
}

Stack take_stack() {
    Stack stack;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, add_entry, &stack);
    H5Eclear2(H5E_DEFAULT);
    stack.text = stack.text.empty() ? "the library gave no reason" : printable(stack.text);
    return stack;
}

// Whether it has nothing to do with the content of the file.
bool is_of_the_file_system(int error_number) {
    constexpr std::array reasons = {EACCES, EDQUOT, EIO,   EMFILE, ENFILE,
                                    ENOMEM, ENOSPC, EPERM, EROFS,  ESTALE};
    return std::find(reasons.begin(), reasons.end(), error_number) != reasons.end();
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

void throw_stack(const std::string& where, ExitCode code) {
    const auto [stack, error_number] = take_stack();
    // Other errors of reading may come from a damaged file.
    if (is_of_the_file_system(error_number) || (code == ExitCode::io_error && error_number != 0)) {
        throw system_error(where, "HDF5 failed", error_number);
    }
    throw Error(code, where + ": HDF5: " + stack);
}

Handle open_file(const std::string& path, const std::string& where) {
    const Handle access = unlocked_access(path);
    errno = 0;
    const hid_t id = H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get());
    if (id < 0 && is_of_the_file_system(errno)) {  // which the stack does not always say
        const int error_number = errno;
        H5Eclear2(H5E_DEFAULT);
        throw system_error(path, "cannot open", error_number);
    }
    return own(id, H5Fclose, where);
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
