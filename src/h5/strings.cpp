#include "h5/strings.hpp"

#include "h5/calls.hpp"

#include <algorithm>
#include <cstring>

namespace sluice::h5 {
namespace {

std::vector<std::string> read_variable(const Handle& type, std::size_t count,
                                       const std::string& where,
                                       const std::function<int(Id, void*)>& read) {
    std::vector<char*> pointers(count, nullptr);
    check(read(type.get(), pointers.data()), where);
    std::vector<std::string> values;
    values.reserve(count);
    for (char* pointer : pointers) {
        values.emplace_back(pointer != nullptr ? pointer : "");
        H5free_memory(pointer);
    }
    return values;
}

// Padding after the text: zeros, or blanks in files written by Fortran.
std::string unpadded(const char* text, std::size_t length, H5T_str_t padding) {
    std::string value(text, padding == H5T_STR_SPACEPAD ? length : strnlen(text, length));
    if (padding == H5T_STR_SPACEPAD) {
        const std::size_t last = value.find_last_not_of(' ');
        value.erase(last == std::string::npos ? 0 : last + 1);
    }
    return value;
}

}  // namespace

std::vector<std::string> read_strings(const Handle& file_type, std::size_t count,
                                      const std::string& where,
                                      const std::function<int(Id, void*)>& read) {
    // The file's own type is the memory type: the bytes arrive as they are, whatever the charset.
    const Handle type = own_type(H5Tcopy(file_type.get()), where);
    if (check(H5Tis_variable_str(type.get()), where) > 0) {
        return read_variable(type, count, where, read);
    }
    const std::size_t length = H5Tget_size(type.get());
    const H5T_str_t padding = H5Tget_strpad(type.get());
    std::vector<char> all(count * length);
    check(read(type.get(), all.data()), where);
    std::vector<std::string> values;
    values.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        values.push_back(unpadded(&all[i * length], length, padding));
    }
    return values;
}

std::vector<std::string> read_attribute_strings(const Handle& attribute, std::size_t max_bytes,
                                                const std::string& where) {
    const Handle type = own_type(H5Aget_type(attribute.get()), where);
    require(H5Tget_class(type.get()) == H5T_STRING, ExitCode::bad_data,
            where + ": attribute is not text; write it as a string or a list of strings");
    const Handle space = own_space(H5Aget_space(attribute.get()), where);
    const auto count = check(H5Sget_simple_extent_npoints(space.get()), where);
    const std::size_t element = std::max<std::size_t>(H5Tget_size(type.get()), 1);
    require(static_cast<std::size_t>(count) <= max_bytes / element, ExitCode::bad_data,
            where + ": attribute is too large (" + std::to_string(count) + " strings of " +
                std::to_string(element) + " bytes); keep it under " + std::to_string(max_bytes) +
                " bytes");
    if (count == 0) return {};
    return read_strings(type, static_cast<std::size_t>(count), where,
                        [&](Id memory_type, void* buffer) {
                            return H5Aread(attribute.get(), memory_type, buffer);
                        });
}

}  // namespace sluice::h5
