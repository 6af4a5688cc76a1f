#include "core/text.hpp"
#include "h5/calls.hpp"
#include "h5/inspect.hpp"
#include "h5/strings.hpp"

namespace sluice::h5 {
namespace {

// A file selection of whole rows and the memory space that takes it.
struct RowSelection {
    Handle file_space;
    Handle memory_space;
    std::size_t num_elements = 1;
};

RowSelection select_rows(const Handle& dataset, std::int64_t first_row, std::int64_t num_rows,
                         const std::string& where) {
    RowSelection selection;
    selection.file_space = own_space(H5Dget_space(dataset.get()), where);
    const int rank = check(H5Sget_simple_extent_ndims(selection.file_space.get()), where);
    std::vector<hsize_t> count(static_cast<std::size_t>(rank));
    check(H5Sget_simple_extent_dims(selection.file_space.get(), count.data(), nullptr), where);
    std::vector<hsize_t> start(count.size(), 0);
    start.at(0) = static_cast<hsize_t>(first_row);
    count.at(0) = static_cast<hsize_t>(num_rows);
    check(H5Sselect_hyperslab(selection.file_space.get(), H5S_SELECT_SET, start.data(), nullptr,
                              count.data(), nullptr),
          where);
    for (const hsize_t extent : count)
        selection.num_elements *= extent;
    selection.memory_space = make_space(count.data(), rank, where);
    return selection;
}

}  // namespace

void Inspector::read_rows(const std::string& dataset, std::int64_t first_row, std::int64_t num_rows,
                          void* values) const {
    const Handle handle = open(dataset);
    const Handle type = own_type(H5Dget_type(handle.get()), where(dataset));
    const RowSelection rows = select_rows(handle, first_row, num_rows, where(dataset));
    check(H5Dread(handle.get(), type.get(), rows.memory_space.get(), rows.file_space.get(),
                  H5P_DEFAULT, values),
          where(dataset));
}

std::vector<std::string> Inspector::read_text(const std::string& dataset, std::int64_t first_row,
                                              std::int64_t num_rows) const {
    const Handle handle = open(dataset);
    const Handle type = own_type(H5Dget_type(handle.get()), where(dataset));
    const RowSelection rows = select_rows(handle, first_row, num_rows, where(dataset));
    return read_strings(type, rows.num_elements, where(dataset), [&](Id memory_type, void* buffer) {
        return H5Dread(handle.get(), memory_type, rows.memory_space.get(), rows.file_space.get(),
                       H5P_DEFAULT, buffer);
    });
}

}  // namespace sluice::h5
