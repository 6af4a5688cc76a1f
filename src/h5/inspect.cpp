#include "h5/inspect.hpp"

#include "core/text.hpp"
#include "h5/calls.hpp"
#include "h5/strings.hpp"
#include "h5/type_info.hpp"

#include <algorithm>

namespace sluice::h5 {
namespace {

constexpr std::size_t max_name_bytes = 255;
constexpr unsigned max_filters = 32;

// The file that a contiguous dataset's bytes lie in, if it is another one.
std::string external_file(hid_t properties, const std::string& where) {
    if (check(H5Pget_external_count(properties), where) == 0) return {};
    char name[1024] = {};
    off_t offset = 0;
    hsize_t bytes = 0;
    check(H5Pget_external(properties, 0, sizeof name - 1, name, &offset, &bytes), where);
    return name;
}

std::vector<FilterInfo> filters_of(hid_t properties, const std::string& where) {
    std::vector<FilterInfo> filters;
    const int count = check(H5Pget_nfilters(properties), where);
    for (unsigned i = 0; i < std::min(static_cast<unsigned>(count), max_filters); ++i) {
        unsigned flags = 0;
        unsigned config = 0;
        unsigned parameters[32] = {};
        std::size_t num_parameters = std::size(parameters);
        char name[64] = {};
        const H5Z_filter_t id = check(H5Pget_filter2(properties, i, &flags, &num_parameters,
                                                     parameters, sizeof name - 1, name, &config),
                                      where);
        num_parameters = std::min(num_parameters, std::size(parameters));
        filters.push_back({id,
                           name,
                           {parameters, parameters + num_parameters},
                           check(H5Zfilter_avail(id), where) > 0});
    }
    return filters;
}

void add_chunking(DatasetInfo& info, hid_t properties, const std::string& where) {
    info.storage = DatasetInfo::Storage::chunked;
    std::vector<hsize_t> chunk(info.dims.size());
    check(H5Pget_chunk(properties, static_cast<int>(chunk.size()), chunk.data()), where);
    info.chunk_dims.assign(chunk.begin(), chunk.end());
    info.filters = filters_of(properties, where);
    unsigned options = 0;
    check(H5Pget_chunk_opts(properties, &options), where);
    info.edge_chunks_unfiltered = (options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) != 0;
}

void add_space(DatasetInfo& info, const Handle& dataset, const std::string& where) {
    const Handle space = own_space(H5Dget_space(dataset.get()), where);
    const H5S_class_t space_class = H5Sget_simple_extent_type(space.get());
    if (space_class != H5S_SIMPLE) {
        info.space =
            space_class == H5S_SCALAR ? DatasetInfo::Space::scalar : DatasetInfo::Space::null;
        return;
    }
    const int rank = check(H5Sget_simple_extent_ndims(space.get()), where);
    std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
    check(H5Sget_simple_extent_dims(space.get(), dims.data(), nullptr), where);
    info.dims.assign(dims.begin(), dims.end());
}

std::string virtual_name(hid_t properties, std::size_t index,
                         ssize_t (*get)(hid_t, std::size_t, char*, std::size_t),
                         const std::string& where) {
    char name[1024] = {};
    check(get(properties, index, name, sizeof name - 1), where);
    return name;
}

herr_t collect_name(hid_t, const char* name, const H5L_info_t*, void* client) {
    auto& [names, limit] = *static_cast<std::pair<std::vector<std::string>, std::size_t>*>(client);
    if (names.size() >= limit) return 1;
    const std::string text = name;
    if (text.size() <= max_name_bytes) names.push_back(text);
    return 0;
}

}  // namespace

Inspector::Inspector(const std::string& path) : path_(path) {
    start_library();
    file_ = open_file(path, path + ": cannot be opened as HDF5 (damaged? copy or make it again)");
}

std::string Inspector::where(const std::string& object) const {
    return path_ + ": " + printable(object);
}

Handle Inspector::open(const std::string& dataset) const {
    return own_dataset(H5Dopen2(file_.get(), dataset.c_str(), H5P_DEFAULT), where(dataset));
}

DatasetInfo Inspector::dataset_info(const std::string& dataset) const {
    const std::string place = where(dataset);
    const Handle handle = open(dataset);
    DatasetInfo info;
    info.type = describe_type(own_type(H5Dget_type(handle.get()), place), place);
    add_space(info, handle, place);
    H5O_info_t object{};
    check(H5Oget_info2(handle.get(), &object, H5O_INFO_BASIC), place);
    info.header_address = object.addr;
    const Handle properties = own_properties(H5Dget_create_plist(handle.get()), place);
    info.outside_target = external_file(properties.get(), place);
    switch (check(H5Pget_layout(properties.get()), place)) {
        case H5D_CONTIGUOUS: {
            info.storage = DatasetInfo::Storage::contiguous;
            const haddr_t offset = H5Dget_offset(handle.get());
            H5Eclear2(H5E_DEFAULT);  // an address that is not defined counts as an error
            info.offset = offset == HADDR_UNDEF ? -1 : static_cast<std::int64_t>(offset);
            break;
        }
        case H5D_CHUNKED:
            add_chunking(info, properties.get(), place);
            break;
        case H5D_VIRTUAL: {
            info.storage = DatasetInfo::Storage::other_datasets;
            std::size_t count = 0;
            check(H5Pget_virtual_count(properties.get(), &count), place);
            for (std::size_t i = 0; i < count && info.outside_target.empty(); ++i) {
                const std::string file =
                    virtual_name(properties.get(), i, H5Pget_virtual_filename, place);
                const std::string source =
                    virtual_name(properties.get(), i, H5Pget_virtual_dsetname, place);
                if (file != ".")
                    info.outside_target = file;
                else if (follow(source).kind != Target::Kind::dataset)
                    info.missing_source = source;
            }
            break;
        }
        default:
            break;
    }
    return info;
}

std::vector<std::string> Inspector::names(const std::string& group, std::size_t limit) const {
    std::pair<std::vector<std::string>, std::size_t> collected{{}, limit};
    hsize_t index = 0;
    const Handle handle =
        own(H5Gopen2(file_.get(), group.c_str(), H5P_DEFAULT), H5Gclose, where(group));
    check(H5Literate(handle.get(), H5_INDEX_NAME, H5_ITER_INC, &index, collect_name, &collected),
          where(group));
    return std::move(collected.first);
}

std::optional<std::vector<std::string>> Inspector::text_attribute(const std::string& object,
                                                                  const std::string& name,
                                                                  std::size_t max_bytes) const {
    const std::string place = where(object) + "@" + name;
    const Handle attribute = open_attribute(file_, object, name, place);
    if (!attribute.valid()) return std::nullopt;
    return read_attribute_strings(attribute, max_bytes, place);
}

std::optional<std::int64_t> Inspector::integer_attribute(const std::string& object,
                                                         const std::string& name) const {
    const std::string place = where(object) + "@" + name;
    const Handle attribute = open_attribute(file_, object, name, place);
    if (!attribute.valid()) return std::nullopt;
    const Handle type = own_type(H5Aget_type(attribute.get()), place);
    const Handle space = own_space(H5Aget_space(attribute.get()), place);
    if (H5Tget_class(type.get()) != H5T_INTEGER || H5Sget_simple_extent_npoints(space.get()) != 1) {
        return std::nullopt;
    }
    std::int64_t value = 0;
    check(H5Aread(attribute.get(), H5T_NATIVE_INT64, &value), place);
    return value;
}

ChunkPlace Inspector::library_chunk(const std::string& dataset, std::int64_t row) const {
    const Handle handle = open(dataset);
    const Handle space = own_space(H5Dget_space(handle.get()), where(dataset));
    const int rank = check(H5Sget_simple_extent_ndims(space.get()), where(dataset));
    std::vector<hsize_t> start(static_cast<std::size_t>(std::max(rank, 1)), 0);
    start[0] = static_cast<hsize_t>(row);
    unsigned mask = 0;
    haddr_t address = HADDR_UNDEF;
    hsize_t size = 0;
    check(H5Dget_chunk_info_by_coord(handle.get(), start.data(), &mask, &address, &size),
          where(dataset));
    if (address == HADDR_UNDEF) return {};
    return {static_cast<std::int64_t>(address), static_cast<std::int64_t>(size), mask};
}

}  // namespace sluice::h5
