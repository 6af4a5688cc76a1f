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

void require_class(const Handle& type, H5T_class_t wanted, const std::string& where,
                   const std::string& wanted_name) {
    require(H5Tget_class(type.get()) == wanted, ExitCode::bad_data,
            where + ": is not of type " + wanted_name + "; the file was not written by sluice");
}

// The elements to read of a dataset: all of them, or whole rows.
struct Selection {
    Handle file_space;
    Handle memory_space;
    std::size_t num_elements = 0;
};

Selection select_all(const Handle& dataset, const std::string& where) {
    Selection all;
    all.file_space = own_space(H5Dget_space(dataset.get()), where);
    all.memory_space = own_space(H5Dget_space(dataset.get()), where);
    all.num_elements =
        static_cast<std::size_t>(check(H5Sget_simple_extent_npoints(all.file_space.get()), where));
    return all;
}

Selection select_rows(const Handle& dataset, RowRange rows, const std::string& where) {
    const std::vector<std::int64_t> dims = dims_of(dataset, where);
    require(!dims.empty() && rows.begin >= 0 && rows.begin <= rows.end && rows.end <= dims[0],
            ExitCode::bad_data,
            where + ": has no rows " + std::to_string(rows.begin) + " to " +
                std::to_string(rows.end - 1) + "; the file was not written by sluice");
    std::vector<hsize_t> start(dims.size(), 0);
    std::vector<hsize_t> count(dims.begin(), dims.end());
    start[0] = static_cast<hsize_t>(rows.begin);
    count[0] = static_cast<hsize_t>(rows.size());
    Selection part = select_all(dataset, where);
    check(H5Sselect_hyperslab(part.file_space.get(), H5S_SELECT_SET, start.data(), nullptr,
                              count.data(), nullptr),
          where);
    part.memory_space = make_space(count.data(), static_cast<int>(count.size()), where);
    part.num_elements =
        static_cast<std::size_t>(check(H5Sget_select_npoints(part.file_space.get()), where));
    return part;
}

Selection select(const Handle& dataset, const std::optional<RowRange>& rows,
                 const std::string& where) {
    return rows ? select_rows(dataset, *rows, where) : select_all(dataset, where);
}

template <typename T>
std::vector<T> read_values(const Handle& dataset, hid_t memory_type, const Selection& selection,
                           const std::string& where) {
    std::vector<T> values(selection.num_elements);
    if (values.empty()) return values;
    check(H5Dread(dataset.get(), memory_type, selection.memory_space.get(),
                  selection.file_space.get(), H5P_DEFAULT, values.data()),
          where);
    return values;
}

std::vector<std::int64_t> read_integers(const Handle& dataset, const Selection& selection,
                                        const std::string& where) {
    const Handle type = own_type(H5Dget_type(dataset.get()), where);
    require_class(type, H5T_INTEGER, where, "integer");
    if (H5Tget_sign(type.get()) != H5T_SGN_NONE || H5Tget_size(type.get()) < 8) {
        return read_values<std::int64_t>(dataset, H5T_NATIVE_INT64, selection, where);
    }
    // HDF5 would clip silently.
    const auto values = read_values<std::uint64_t>(dataset, H5T_NATIVE_UINT64, selection, where);
    for (std::size_t i = 0; i < values.size(); ++i) {
        require(values[i] <= std::numeric_limits<std::int64_t>::max(), ExitCode::bad_data,
                where + "[" + std::to_string(i) + "]: value is too large (" +
                    std::to_string(values[i]) + "); the largest is 2^63 - 1");
    }
    return {values.begin(), values.end()};
}

std::vector<double> read_doubles(const Handle& dataset, const Selection& selection,
                                 const std::string& where) {
    const Handle type = own_type(H5Dget_type(dataset.get()), where);
    if (H5Tget_class(type.get()) == H5T_INTEGER) {
        const auto values = read_integers(dataset, selection, where);
        return {values.begin(), values.end()};
    }
    require_class(type, H5T_FLOAT, where, "float");
    return read_values<double>(dataset, H5T_NATIVE_DOUBLE, selection, where);
}

std::vector<float> read_floats(const Handle& dataset, const Selection& selection,
                               const std::string& where) {
    const Handle type = own_type(H5Dget_type(dataset.get()), where);
    require_class(type, H5T_FLOAT, where, "float32");
    require(H5Tget_size(type.get()) <= sizeof(float), ExitCode::bad_data,
            where + ": is wider than float32; the file was not written by sluice");
    return read_values<float>(dataset, H5T_NATIVE_FLOAT, selection, where);
}

std::vector<std::string> read_text(const Handle& dataset, const Selection& selection,
                                   const std::string& where) {
    const Handle type = own_type(H5Dget_type(dataset.get()), where);
    require_class(type, H5T_STRING, where, "string");
    if (selection.num_elements == 0) return {};
    return read_strings(type, selection.num_elements, where, [&](Id memory_type, void* buffer) {
        return H5Dread(dataset.get(), memory_type, selection.memory_space.get(),
                       selection.file_space.get(), H5P_DEFAULT, buffer);
    });
}

// The value of an attribute of one element.
template <typename T>
T read_number(const Handle& attribute, hid_t memory_type, const std::string& where) {
    const Handle space = own_space(H5Aget_space(attribute.get()), where);
    require(check(H5Sget_simple_extent_npoints(space.get()), where) == 1, ExitCode::bad_data,
            where + ": is not a single number; the file was not written by sluice");
    T value = 0;
    check(H5Aread(attribute.get(), memory_type, &value), where);
    return value;
}

}  // namespace

InputFile::InputFile(const std::string& path) : path_(path) {
    start_library();
    open_for_reading(path);  // gives the better message for a missing or forbidden file
    file_ = open_file(path, path + ": cannot be opened as HDF5");
}

bool InputFile::has(const std::string& dataset) const {
    const auto exists = [&](const std::string& name) {
        return check(H5Lexists(file_.get(), name.c_str(), H5P_DEFAULT), where(dataset)) > 0;
    };
    // H5Lexists wants every group on the way to exist.
    for (std::size_t slash = dataset.find('/', 1); slash != std::string::npos;
         slash = dataset.find('/', slash + 1)) {
        if (!exists(dataset.substr(0, slash))) return false;
    }
    return exists(dataset);
}

Handle InputFile::open(const std::string& dataset) const {
    require(has(dataset), ExitCode::bad_data,
            where(dataset) + ": no such dataset; the file was not written by sluice");
    return own_dataset(H5Dopen2(file_.get(), dataset.c_str(), H5P_DEFAULT), where(dataset));
}

std::vector<std::int64_t> InputFile::dims(const std::string& dataset) const {
    return dims_of(open(dataset), where(dataset));
}

std::vector<std::int64_t> InputFile::integers(const std::string& dataset,
                                              std::optional<RowRange> rows) const {
    const Handle handle = open(dataset);
    return read_integers(handle, select(handle, rows, where(dataset)), where(dataset));
}

std::vector<double> InputFile::doubles(const std::string& dataset,
                                       std::optional<RowRange> rows) const {
    const Handle handle = open(dataset);
    return read_doubles(handle, select(handle, rows, where(dataset)), where(dataset));
}

std::vector<float> InputFile::floats(const std::string& dataset,
                                     std::optional<RowRange> rows) const {
    const Handle handle = open(dataset);
    return read_floats(handle, select(handle, rows, where(dataset)), where(dataset));
}

std::vector<std::string> InputFile::text(const std::string& dataset,
                                         std::optional<RowRange> rows) const {
    const Handle handle = open(dataset);
    return read_text(handle, select(handle, rows, where(dataset)), where(dataset));
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
    return read_number<std::int64_t>(attribute, H5T_NATIVE_INT64, place);
}

std::optional<double> InputFile::attribute_number(const std::string& object,
                                                  const std::string& name) const {
    const std::string place = where(object) + "@" + name;
    const Handle attribute = open_attribute(file_, object, name, place);
    if (!attribute.valid()) return std::nullopt;
    const Handle type = own_type(H5Aget_type(attribute.get()), place);
    if (H5Tget_class(type.get()) != H5T_INTEGER) require_class(type, H5T_FLOAT, place, "number");
    return read_number<double>(attribute, H5T_NATIVE_DOUBLE, place);
}

}  // namespace sluice::h5
