#include "h5/output_file.hpp"

#include "h5/calls.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sluice::h5 {
namespace {

constexpr ExitCode io_error = ExitCode::io_error;
constexpr std::size_t memory_step_bytes = std::size_t{1} << 20;

std::vector<hsize_t> to_hsize(const std::vector<std::int64_t>& dims) {
    return {dims.begin(), dims.end()};
}

std::int64_t row_bytes(const std::vector<std::int64_t>& dims, StoredType type) {
    std::int64_t bytes = h5::stored_bytes(type);
    for (std::size_t i = 1; i < dims.size(); ++i)
        bytes *= dims[i];
    return bytes;
}

// No time of creation is stored: the same content gives the same bytes.
Handle timeless_properties(const std::string& where) {
    Handle properties = own_properties(H5Pcreate(H5P_DATASET_CREATE), where);
    check(H5Pset_obj_track_times(properties.get(), false), where);
    return properties;
}

// Allocated early and never filled: addresses are known at once, and nothing is written twice.
Handle creation_properties(const std::vector<std::int64_t>& dims, const DatasetOptions& options,
                           const std::string& where) {
    Handle properties = timeless_properties(where);
    const hid_t id = properties.get();
    check(H5Pset_fill_time(id, H5D_FILL_TIME_NEVER), where);
    if (options.chunk_rows == 0 || dims.empty() || dims[0] == 0) {
        require(options.chunk_rows > 0 || (options.deflate_level == 0 && !options.fletcher32),
                ExitCode::internal, where + ": filters need chunks");
        if (!dims.empty()) check(H5Pset_alloc_time(id, H5D_ALLOC_TIME_EARLY), where);
        return properties;
    }
    std::vector<hsize_t> chunk = to_hsize(dims);
    chunk[0] = static_cast<hsize_t>(std::min(options.chunk_rows, dims[0]));
    check(H5Pset_chunk(id, static_cast<int>(chunk.size()), chunk.data()), where);
    if (options.shuffle) check(H5Pset_shuffle(id), where);
    if (options.deflate_level > 0) {
        check(H5Pset_deflate(id, static_cast<unsigned>(options.deflate_level)), where);
    }
    if (options.fletcher32) check(H5Pset_fletcher32(id), where);
    // Filtered chunks get their size when they are written.
    const bool filtered = options.shuffle || options.deflate_level > 0 || options.fletcher32;
    check(H5Pset_alloc_time(id, filtered ? H5D_ALLOC_TIME_INCR : H5D_ALLOC_TIME_EARLY), where);
    return properties;
}

// Metadata stays in HDF5's cache until the file is closed, when there is memory or reserved disk
// space for it.
Handle memory_access(const std::string& where) {
    Handle access = unlocked_access(where);
    H5AC_cache_config_t config{};
    config.version = H5AC__CURR_CACHE_CONFIG_VERSION;
    check(H5Pget_mdc_config(access.get(), &config), where);
    config.evictions_enabled = 0;
    config.incr_mode = H5C_incr__off;
    config.flash_incr_mode = H5C_flash_incr__off;
    config.decr_mode = H5C_decr__off;
    check(H5Pset_mdc_config(access.get(), &config), where);
    return access;
}

Handle create_groups_as_needed(const std::string& where) {
    Handle properties = own_properties(H5Pcreate(H5P_LINK_CREATE), where);
    check(H5Pset_create_intermediate_group(properties.get(), 1), where);
    return properties;
}

Handle text_type(std::size_t length, const std::string& where) {
    Handle type = own_type(H5Tcopy(H5T_C_S1), where);
    check(H5Tset_size(type.get(), length), where);
    check(H5Tset_cset(type.get(), H5T_CSET_UTF8), where);
    if (length != H5T_VARIABLE) check(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), where);
    return type;
}

// Zero-padded strings of one length, as a fixed-length type wants them; at least one byte each.
std::string padded(std::span<const std::string> values, std::size_t length) {
    std::string all(values.size() * length, '\0');
    for (std::size_t i = 0; i < values.size(); ++i) {
        std::memcpy(&all[i * length], values[i].data(), values[i].size());
    }
    return all;
}

std::size_t longest(std::span<const std::string> values) {
    std::size_t length = 1;
    for (const std::string& value : values)
        length = std::max(length, value.size());
    return length;
}

}  // namespace

OutputDataset::OutputDataset(Handle handle, std::string where, StoredType type,
                             std::vector<std::int64_t> dims)
    : handle_(std::move(handle)), where_(std::move(where)), type_(type), dims_(std::move(dims)) {}

void OutputDataset::write_rows(std::int64_t first_row, std::span<const std::byte> bytes,
                               StoredType type) {
    const bool raw_half = type_ == StoredType::float16 && type == StoredType::uint16;
    require(type == type_ || raw_half, ExitCode::internal,
            where_ + ": written with a type that is not the dataset's");
    write_raw_rows(first_row, bytes);
}

void OutputDataset::write_raw_rows(std::int64_t first_row, std::span<const std::byte> bytes) {
    const std::int64_t row = row_bytes(dims_, type_);
    const auto num_bytes = static_cast<std::int64_t>(bytes.size());
    if (num_bytes == 0) return;
    require(!dims_.empty() && num_bytes % row == 0 && first_row + num_bytes / row <= dims_[0],
            ExitCode::internal, where_ + ": written rows do not fit the dataset");
    const Handle file_space = own_space(H5Dget_space(handle_.get()), where_);
    std::vector<hsize_t> start(dims_.size(), 0);
    std::vector<hsize_t> count = to_hsize(dims_);
    start[0] = static_cast<hsize_t>(first_row);
    count[0] = static_cast<hsize_t>(num_bytes / row);
    check(H5Sselect_hyperslab(file_space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(),
                              nullptr),
          where_);
    const Handle memory_space = make_space(count.data(), static_cast<int>(count.size()), where_);
    const Handle type = make_type(type_);
    check(H5Dwrite(handle_.get(), type.get(), memory_space.get(), file_space.get(), H5P_DEFAULT,
                   bytes.data()),
          where_, io_error);
}

void OutputDataset::write_chunk(std::int64_t first_row, std::span<const std::byte> stored,
                                std::uint32_t skipped_filters) {
    std::vector<hsize_t> offset(dims_.size(), 0);
    offset.at(0) = static_cast<hsize_t>(first_row);
    check(H5Dwrite_chunk(handle_.get(), H5P_DEFAULT, skipped_filters, offset.data(), stored.size(),
                         stored.data()),
          where_, io_error);
}

std::int64_t OutputDataset::contiguous_offset() const {
    const haddr_t address = H5Dget_offset(handle_.get());
    require(address != HADDR_UNDEF, ExitCode::internal, where_ + ": has no file address");
    return static_cast<std::int64_t>(address);
}

std::vector<std::int64_t> OutputDataset::chunk_offsets() const {
    const Handle properties = own_properties(H5Dget_create_plist(handle_.get()), where_);
    std::vector<hsize_t> chunk(dims_.size());
    check(H5Pget_chunk(properties.get(), static_cast<int>(chunk.size()), chunk.data()), where_);
    std::vector<std::int64_t> offsets;
    std::vector<hsize_t> start(dims_.size(), 0);
    for (; static_cast<std::int64_t>(start[0]) < dims_[0]; start[0] += chunk[0]) {
        unsigned mask = 0;
        haddr_t address = HADDR_UNDEF;
        hsize_t size = 0;
        check(H5Dget_chunk_info_by_coord(handle_.get(), start.data(), &mask, &address, &size),
              where_);
        require(address != HADDR_UNDEF, ExitCode::internal, where_ + ": chunk has no address");
        offsets.push_back(static_cast<std::int64_t>(address));
    }
    return offsets;
}

void OutputDataset::close() {
    handle_.close(where_);
}

OutputFile::OutputFile(const std::string& path, Backing backing) : path_(path), backing_(backing) {
    start_library();
    const Handle access = memory_access(path);
    errno = 0;
    const hid_t id = H5Fcreate(path.c_str(), H5F_ACC_EXCL, H5P_DEFAULT, access.get());
    if (id < 0) {
        const int reason = errno;
        H5Eclear2(H5E_DEFAULT);
        const std::string text = reason != 0 ? std::strerror(reason) : "HDF5 gave no reason";
        throw Error(reason == EACCES ? ExitCode::permission : ExitCode::cannot_create,
                    path + ": cannot create the file (" + text +
                        "); choose another name or a directory you may write to");
    }
    file_ = Handle(id, H5Fclose);
    if (backing_ == Backing::memory) disk_ = image_.stand_in_for(descriptor(), path_);
}

OutputFile::OutputFile(std::string name, Handle file)
    : path_(std::move(name)), backing_(Backing::memory), file_(std::move(file)) {}

OutputFile OutputFile::in_memory(const std::string& name) {
    start_library();
    const Handle access = own_properties(H5Pcreate(H5P_FILE_ACCESS), name);
    check(H5Pset_fapl_core(access.get(), memory_step_bytes, false), name);
    const hid_t id = H5Fcreate(name.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get());
    return {name, Handle(check(id, name, ExitCode::internal), H5Fclose)};
}

OutputFile::~OutputFile() {
    if (!file_.valid() || backing_ == Backing::memory) return;
    try {  // HDF5 must not fail at closing: what it has left goes to memory
        disk_ = image_.stand_in_for(descriptor(), path_);
    } catch (const Error&) {
        return;
    }
}

// The file descriptor that HDF5 writes to.
int OutputFile::descriptor() const {
    void* handle = nullptr;
    check(H5Fget_vfd_handle(file_.get(), H5P_DEFAULT, &handle), path_, ExitCode::internal);
    return *static_cast<const int*>(handle);
}

// Has disk space for all that HDF5 has allocated in the file, so that its last writes find it.
// File systems that cannot reserve are left to luck.
void OutputFile::reserve_space() const {
    hsize_t bytes = 0;
    check(H5Fget_filesize(file_.get(), &bytes), path_, ExitCode::internal);
    if (::fallocate(descriptor(), 0, 0, static_cast<off_t>(bytes)) == 0) return;
    if (errno == EOPNOTSUPP || errno == ENOSYS) return;
    throw system_error(path_, "cannot write", errno);
}

OutputDataset OutputFile::create_dataset(const std::string& name, StoredType type,
                                         const std::vector<std::int64_t>& dims,
                                         const DatasetOptions& options) {
    const std::string where = path_ + ": " + name;
    const std::vector<hsize_t> extent = to_hsize(dims);
    const Handle space = make_space(extent.data(), static_cast<int>(extent.size()), where);
    const Handle properties = creation_properties(dims, options, where);
    const Handle links = create_groups_as_needed(where);
    const Handle file_type = make_type(type);
    Handle dataset = own_dataset(H5Dcreate2(file_.get(), name.c_str(), file_type.get(), space.get(),
                                            links.get(), properties.get(), H5P_DEFAULT),
                                 where, io_error);
    return {std::move(dataset), where, type, dims};
}

void OutputFile::write_text_dataset(const std::string& name, std::span<const std::string> values,
                                    TextStorage storage) {
    const std::string where = path_ + ": " + name;
    const hsize_t count = values.size();
    const Handle space = make_space(&count, 1, where);
    const Handle links = create_groups_as_needed(where);
    const Handle properties = timeless_properties(where);
    const std::size_t length = longest(values);
    const Handle type = text_type(storage == TextStorage::fixed ? length : H5T_VARIABLE, where);
    Handle dataset = own_dataset(H5Dcreate2(file_.get(), name.c_str(), type.get(), space.get(),
                                            links.get(), properties.get(), H5P_DEFAULT),
                                 where, io_error);
    if (count > 0) {
        const std::string fixed = storage == TextStorage::fixed ? padded(values, length) : "";
        std::vector<const char*> pointers;
        for (const std::string& value : values)
            pointers.push_back(value.c_str());
        const void* data = storage == TextStorage::fixed
                               ? static_cast<const void*>(fixed.data())
                               : static_cast<const void*>(pointers.data());
        check(H5Dwrite(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, data), where,
              io_error);
    }
    dataset.close(where);
}

void OutputFile::write_attribute(const std::string& object, const std::string& name,
                                 const Handle& type, const Handle& space, const void* value) {
    const std::string where = path_ + ": " + object + "@" + name;
    Handle attribute =
        own_attribute(H5Acreate_by_name(file_.get(), object.c_str(), name.c_str(), type.get(),
                                        space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                      where, io_error);
    check(H5Awrite(attribute.get(), type.get(), value), where, io_error);
    attribute.close(where);
}

void OutputFile::set_attribute(const std::string& object, const std::string& name,
                               const std::string& value) {
    const std::size_t length = std::max<std::size_t>(value.size(), 1);
    const std::string fixed = padded(std::span(&value, 1), length);
    write_attribute(object, name, text_type(length, path_), make_space(nullptr, 0, path_),
                    fixed.data());
}

void OutputFile::set_attribute(const std::string& object, const std::string& name,
                               std::span<const std::string> values) {
    const std::size_t length = longest(values);
    const hsize_t count = values.size();
    const std::string fixed = padded(values, length);
    write_attribute(object, name, text_type(length, path_), make_space(&count, 1, path_),
                    fixed.data());
}

void OutputFile::set_attribute(const std::string& object, const std::string& name,
                               std::int64_t value) {
    write_attribute(object, name, make_type(StoredType::int64), make_space(nullptr, 0, path_),
                    &value);
}

void OutputFile::set_attribute(const std::string& object, const std::string& name, double value) {
    write_attribute(object, name, make_type(StoredType::float64), make_space(nullptr, 0, path_),
                    &value);
}

void OutputFile::close() {
    if (backing_ == Backing::disk) reserve_space();
    file_.close(path_ + ": cannot write");
    if (backing_ == Backing::disk) return;
    image_.copy_to(disk_, path_);
    disk_.close();
}

std::vector<std::byte> OutputFile::take_image() {
    const hid_t id = file_.get();
    check(H5Fflush(id, H5F_SCOPE_GLOBAL), path_, io_error);
    const auto num_bytes = check(H5Fget_file_image(id, nullptr, 0), path_, io_error);
    std::vector<std::byte> image(static_cast<std::size_t>(num_bytes));
    check(H5Fget_file_image(id, image.data(), image.size()), path_, io_error);
    file_.close(path_);
    return image;
}

}  // namespace sluice::h5
