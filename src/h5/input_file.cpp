#include "h5/input_file.hpp"

#include "core/durable_file.hpp"
#include "h5/calls.hpp"
#include "h5/strings.hpp"

#include <limits>

namespace sluice::h5 {
namespace {

constexpr std::size_t max_attribute_bytes = std::size_t{1} << 20;

std::vector<std::int64_t> dims_of(const Handle& dataset, const std::string& where) {
    const Handle space = own_space(H5Dget_space(dataset.get()), where);
    const int rank = check(H5Sget_simple_extent_ndims(space.get()), where);
    std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
    check(H5Sget_simple_extent_dims(space.get(), dims.data(), nullptr), where);
    return {dims.begin(), dims.end()};
}

std::size_t num_elements(const Handle& dataset, const std::string& where) {
    const Handle space = own_space(H5Dget_space(dataset.get()), where);
    return static_cast<std::size_t>(check(H5Sget_simple_extent_npoints(space.get()), where));
}

void require_class(const Handle& type, H5T_class_t wanted, const std::string& where,
                   const std::string& wanted_name) {
    require(H5Tget_class(type.get()) == wanted, ExitCode::bad_data,
            where + ": is not of type " + wanted_name + "; the file was not written by sluice");
}

template <typename T>
std::vector<T> read_all(const Handle& dataset, hid_t memory_type, const std::string& where) {
    std::vector<T> values(num_elements(dataset, where));
    if (values.empty()) return values;
    check(H5Dread(dataset.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), where);
    return values;
}

}  // namespace

InputFile::InputFile(const std::string& path) : path_(path) {
    start_library();
    open_for_reading(path);  // gives the better message for a missing or forbidden file
    const Handle access = unlocked_access(path);
    file_ = own(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose,
                path + ": cannot be opened as HDF5");
}

bool InputFile::has(const std::string& dataset) const {
    // H5Lexists wants every group on the way to exist.
    for (std::size_t slash = dataset.find('/', 1); slash != std::string::npos;
         slash = dataset.find('/', slash + 1)) {
        if (H5Lexists(file_.get(), dataset.substr(0, slash).c_str(), H5P_DEFAULT) <= 0) {
            return false;
        }
    }
    return H5Lexists(file_.get(), dataset.c_str(), H5P_DEFAULT) > 0;
}

Handle InputFile::open(const std::string& dataset) const {
    require(has(dataset), ExitCode::bad_data,
            where(dataset) + ": no such dataset; the file was not written by sluice");
    return own_dataset(H5Dopen2(file_.get(), dataset.c_str(), H5P_DEFAULT), where(dataset));
}

std::vector<std::int64_t> InputFile::dims(const std::string& dataset) const {
    return dims_of(open(dataset), where(dataset));
}

std::vector<std::int64_t> InputFile::integers(const std::string& dataset) const {
    const Handle handle = open(dataset);
    const Handle type = own_type(H5Dget_type(handle.get()), where(dataset));
    require_class(type, H5T_INTEGER, where(dataset), "integer");
    if (H5Tget_sign(type.get()) != H5T_SGN_NONE || H5Tget_size(type.get()) < 8) {
        return read_all<std::int64_t>(handle, H5T_NATIVE_INT64, where(dataset));
    }
    // HDF5 would clip silently.
    const auto values = read_all<std::uint64_t>(handle, H5T_NATIVE_UINT64, where(dataset));
    for (std::size_t i = 0; i < values.size(); ++i) {
        require(values[i] <= std::numeric_limits<std::int64_t>::max(), ExitCode::bad_data,
                where(dataset) + "[" + std::to_string(i) + "]: value is too large (" +
                    std::to_string(values[i]) + "); the largest is 2^63 - 1");
    }
    return {values.begin(), values.end()};
}

std::vector<double> InputFile::doubles(const std::string& dataset) const {
    const Handle handle = open(dataset);
    const Handle type = own_type(H5Dget_type(handle.get()), where(dataset));
    if (H5Tget_class(type.get()) == H5T_INTEGER) {
        const auto values = integers(dataset);
        return {values.begin(), values.end()};
    }
    require_class(type, H5T_FLOAT, where(dataset), "float");
    return read_all<double>(handle, H5T_NATIVE_DOUBLE, where(dataset));
}

std::vector<float> InputFile::floats(const std::string& dataset) const {
    const Handle handle = open(dataset);
    const Handle type = own_type(H5Dget_type(handle.get()), where(dataset));
    require_class(type, H5T_FLOAT, where(dataset), "float32");
    require(H5Tget_size(type.get()) <= sizeof(float), ExitCode::bad_data,
            where(dataset) + ": is wider than float32; the file was not written by sluice");
    return read_all<float>(handle, H5T_NATIVE_FLOAT, where(dataset));
}

std::vector<std::string> InputFile::text(const std::string& dataset) const {
    const Handle handle = open(dataset);
    const Handle type = own_type(H5Dget_type(handle.get()), where(dataset));
    require_class(type, H5T_STRING, where(dataset), "string");
    const std::size_t count = num_elements(handle, where(dataset));
    if (count == 0) return {};
    return read_strings(type, count, where(dataset), [&](Id memory_type, void* buffer) {
        return H5Dread(handle.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer);
    });
}

std::optional<std::vector<std::string>> InputFile::attribute_list(const std::string& object,
                                                                  const std::string& name) const {
    const std::string place = where(object) + "@" + name;
    const Handle attribute = open_attribute(file_, object, name, place);
    if (!attribute.valid()) return std::nullopt;
    return read_attribute_strings(attribute, max_attribute_bytes, place);
}

std::optional<std::string> InputFile::attribute_text(const std::string& object,
                                                     const std::string& name) const {
    auto values = attribute_list(object, name);
    if (!values || values->empty()) return std::nullopt;
    return std::move(values->front());
}

std::optional<std::int64_t> InputFile::attribute_integer(const std::string& object,
                                                         const std::string& name) const {
    const std::string place = where(object) + "@" + name;
    const Handle attribute = open_attribute(file_, object, name, place);
    if (!attribute.valid()) return std::nullopt;
    const Handle type = own_type(H5Aget_type(attribute.get()), place);
    require_class(type, H5T_INTEGER, place, "integer");
    const Handle space = own_space(H5Aget_space(attribute.get()), place);
    require(check(H5Sget_simple_extent_npoints(space.get()), place) == 1, ExitCode::bad_data,
            place + ": is not a single integer; the file was not written by sluice");
    std::int64_t value = 0;
    check(H5Aread(attribute.get(), H5T_NATIVE_INT64, &value), place);
    return value;
}

}  // namespace sluice::h5
