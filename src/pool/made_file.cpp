#include "pool/made_file.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/path_status.hpp"

#include <unistd.h>

#include <algorithm>

namespace sluice::pool {
namespace {

// Hidden and beside the target, so that renaming stays within one file system.
std::string temporary_beside(const std::string& target) {
    const std::size_t slash = target.find_last_of('/');
    const std::size_t name = slash == std::string::npos ? 0 : slash + 1;
    return target.substr(0, name) + "." + target.substr(name) + ".tmp." + unique_name();
}

void require_free(const std::string& target) {
    require(!path_status(target, Links::keep), ExitCode::cannot_create,
            target + ": exists already; remove it or choose another name with --out");
}

void require_directory(const std::string& target) {
    const std::size_t slash = target.find_last_of('/');
    if (slash == std::string::npos || slash == 0) return;
    const std::string directory = target.substr(0, slash);
    require(is_directory(directory), ExitCode::cannot_create,
            target + ": there is no directory " + directory + "; make it first");
}

h5::StoredType stored_type(ElementType type) {
    switch (type) {
        case ElementType::float16:
            return h5::StoredType::float16;
        case ElementType::float32:
            return h5::StoredType::float32;
        case ElementType::float64:
            return h5::StoredType::float64;
        default:
            throw Error(ExitCode::internal, "made pools cannot hold " + element_name(type));
    }
}

void write_provenance(h5::OutputFile& file, const MakeOptions& options) {
    file.set_attribute("/", "format", std::string("sluice-pool"));
    file.set_attribute("/", "format_version", std::int64_t{1});
    file.set_attribute("/", "made_kind", options.kind);
    file.set_attribute("/", "made_seed", std::to_string(options.seed));  // may exceed int64
    file.set_attribute("/", "made_classes", options.classes.value());
    file.set_attribute("/", "made_members", options.members);
}

void write_columns(h5::OutputFile& file, const std::vector<InputColumn>& columns) {
    if (columns.empty()) return;
    std::vector<std::string> names;
    std::vector<std::string> units;
    std::vector<std::string> ranges;
    for (const InputColumn& column : columns) {
        names.push_back(column.name);
        units.push_back(column.unit);
        if (!column.range.empty()) ranges.push_back(column.range);
    }
    file.set_attribute("inputs", "names", names);
    file.set_attribute("inputs", "units", units);
    if (!ranges.empty()) file.set_attribute("inputs", "ranges", ranges);
}

}  // namespace

MadeFile::MadeFile(const std::string& target, comm::Communicator& world) : target_(target) {
    world.agree([&] {
        if (!world.is_root()) return;
        require_free(target_);
        require_directory(target_);
        path_ = temporary_beside(target_);
    });
    world.broadcast(path_);
    owned_ = world.is_root();
}

MadeFile::~MadeFile() {
    if (owned_) ::unlink(path_.c_str());
}

std::string MadeFile::as_target(std::string message) const {
    for (std::size_t at = message.find(path_); at != std::string::npos;
         at = message.find(path_, at + target_.size())) {
        message.replace(at, path_.size(), target_);
    }
    return message;
}

void MadeFile::publish(comm::Communicator& world) {
    world.agree([&] {
        if (!world.is_root()) return;
        require_free(target_);
        rename_durably(path_, target_);
        owned_ = false;
    });
}

std::int64_t made_chunk_rows(const MakeOptions& options) {
    return std::min<std::int64_t>(options.chunk_rows, std::max<RowId>(options.num_rows, 1));
}

std::vector<h5::OutputDataset> create_datasets(h5::OutputFile& file, const MadeRows& rows,
                                               const MakeOptions& options) {
    write_provenance(file, options);
    h5::DatasetOptions layout;
    layout.chunk_rows = made_chunk_rows(options);
    layout.deflate_level = options.deflate_level;
    layout.shuffle = layout.fletcher32 = options.deflate_level > 0;
    std::vector<h5::OutputDataset> created;
    for (const MadeDataset& dataset : rows.datasets()) {
        std::vector<std::int64_t> dims = {options.num_rows};
        dims.insert(dims.end(), dataset.row_shape.begin(), dataset.row_shape.end());
        created.push_back(
            file.create_dataset(dataset.role, stored_type(dataset.type), dims, layout));
        if (!dataset.value_kind.empty()) {
            file.set_attribute(dataset.role, "kind", dataset.value_kind);
        }
    }
    write_columns(file, rows.input_columns());
    return created;
}

}  // namespace sluice::pool
