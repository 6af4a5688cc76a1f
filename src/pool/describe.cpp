#include "pool/describe.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "h5/inspect.hpp"
#include "pool/archive.hpp"
#include "pool/child_process.hpp"
#include "pool/file_gate.hpp"
#include "pool/layout.hpp"
#include "pool/role.hpp"

#include <algorithm>

namespace sluice::pool {
namespace {

using Kind = h5::Target::Kind;

constexpr std::size_t max_listed = 40;
constexpr std::size_t max_columns = 1000;
constexpr std::size_t max_attribute_bytes = std::size_t{1} << 20;
constexpr std::int64_t known_format_version = 1;

std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : texts)
        all += (all.empty() ? "" : ", ") + text;
    return all.empty() ? "no datasets" : all;
}

bool is_named(const PoolSource& source, const std::string& role) {
    return source.datasets.contains(role) || source.optional_datasets.contains(role);
}

/// Describes one file; runs in the child.
class Describer {
  public:
    Describer(const std::string& path, const FileStamp& stamp)
        : path_(path), stamp_(stamp), inspector_(path), file_(path) {}

    FileDescription describe(const PoolSource& source) {
        check_format();
        list_group("/", 2);
        for (const std::string& role : standard_roles()) {
            if (!is_named(source, role)) add_optional(role, "/" + role);
        }
        for (const auto& [role, object] : source.optional_datasets)
            add_optional(role, object);
        for (const auto& [role, object] : source.datasets)
            add(role, object, inspector_.follow(object));
        add_columns(source);
        require(!result_.datasets.empty(), ExitCode::bad_data,
                path_ +
                    ": holds no dataset that a pool has (features, probabilities, ...); it has " +
                    joined(result_.contents) + "; name one, as in --features /NAME");
        return std::move(result_);
    }

  private:
    void check_format() {
        const auto format = inspector_.text_attribute("/", "format", max_attribute_bytes);
        if (!format || format->empty() || format->front() != "sluice-pool") return;
        const auto version = inspector_.integer_attribute("/", "format_version");
        require(version.value_or(0) == known_format_version, ExitCode::bad_data,
                path_ + ": format_version is not known (" + std::to_string(version.value_or(0)) +
                    "); this program reads version 1");
    }

    void list_group(const std::string& group, int depth) {
        for (const std::string& name : inspector_.names(group, max_listed)) {
            if (result_.contents.size() >= max_listed) return;
            const std::string object = (group == "/" ? "" : group) + "/" + name;
            const h5::Target target = inspector_.follow(object);
            if (target.kind == Kind::dataset) {
                result_.contents.push_back(printable(object) + " " +
                                           summary_of(inspector_.dataset_info(target.path)));
            } else if (target.kind == Kind::group && depth > 1) {
                list_group(object, depth - 1);
            }
        }
    }

    std::string where(const std::string& object) const { return path_ + ": " + printable(object); }

    [[noreturn]] void refuse(const std::string& object, const std::string& what) const {
        throw Error(ExitCode::bad_data,
                    where(object) + ": " + what +
                        "; name a dataset that the file has: " + joined(result_.contents));
    }

    // A path that leads to no dataset, whatever the reason.
    [[noreturn]] void refuse_target(const std::string& object, const h5::Target& target) const {
        switch (target.kind) {
            case Kind::group:
                refuse(object, "is a group, not a dataset");
            case Kind::named_type:
                refuse(object, "is a named type, not a dataset");
            case Kind::missing:
                refuse(object, "no such dataset");
            case Kind::dangling:
                refuse(object, "is a link that leads nowhere (" + target.detail + ")");
            case Kind::loop:
                refuse(object, "is a link that leads back to itself (" + target.detail + ")");
            case Kind::outside:
                refuse(object, "is a link to another file (" + target.detail +
                                   "), which is never followed: copy the data into the pool or "
                                   "give that file");
            default:
                refuse(object, "is not a dataset");
        }
    }

    void add_optional(const std::string& role, const std::string& object) {
        const h5::Target target = inspector_.follow(object);
        if (target.kind == Kind::missing) return;
        add(role, object, target);
    }

    void add_columns(const PoolSource& source) {
        if (inspector_.follow("/columns").kind != Kind::group) return;
        for (const std::string& name : inspector_.names("/columns", max_columns)) {
            const std::string role = "columns/" + name;
            if (is_named(source, role)) continue;
            try {
                add_optional(role, "/" + role);
            } catch (const Error& error) {
                // A column no one asked for must not stop the others.
                result_.notes.push_back(std::string(error.what()) + " (column left out)");
            }
        }
    }

    void add(const std::string& role, const std::string& object, const h5::Target& target) {
        if (target.kind != Kind::dataset) refuse_target(object, target);
        const h5::DatasetInfo info = inspector_.dataset_info(target.path);
        Dataset dataset;
        dataset.role = role;
        dataset.path = target.path;
        apply_rule(rule_of(role), info, where(object), dataset);
        FilePart part;
        part.path = path_;
        part.rows = {0, dataset.num_rows};
        part.file_bytes = stamp_.file_bytes;
        part.modified_ns = stamp_.modified_ns;
        dataset.parts.push_back(std::move(part));
        find_layout(inspector_, file_, info, dataset);
        add_attributes(dataset, target.path);
        dataset.path = object;
        result_.datasets.push_back(std::move(dataset));
    }

    void add_attributes(Dataset& dataset, const std::string& object) {
        for (const char* name : {"kind", "names", "units", "ranges"}) {
            auto values = inspector_.text_attribute(object, name, max_attribute_bytes);
            if (values) dataset.attributes[name] = std::move(*values);
        }
        const auto kind = dataset.attributes.find("kind");
        const bool has_classes = dataset.role == "probabilities" || dataset.role == "committee";
        if (kind == dataset.attributes.end() || !has_classes) return;
        const bool known = kind->second.size() == 1 &&
                           (kind->second[0] == "probability" || kind->second[0] == "logit");
        require(known, ExitCode::bad_data,
                where(object) + "@kind: not known (" + printable(joined(kind->second)) +
                    "); write probability or logit");
    }

    const std::string& path_;
    FileStamp stamp_;
    h5::Inspector inspector_;
    h5::RawFile file_;
    FileDescription result_;
};

template <typename Archive>
void transfer(Archive& archive, FileDescription& description) {
    pool::transfer(archive, description.datasets);
    pool::transfer(archive, description.contents);
    pool::transfer(archive, description.notes);
}

}  // namespace

std::string shape_text(const std::vector<std::int64_t>& dims) {
    std::string text;
    for (const std::int64_t extent : dims)
        text += (text.empty() ? "" : ",") + std::to_string(extent);
    return "[" + text + "]";
}

FileDescription describe_file(const std::string& path, const PoolSource& source) {
    const FileStamp stamp = check_is_complete_hdf5(path);
    const std::string bytes = run_in_child(path, [&] {
        FileDescription description = Describer(path, stamp).describe(source);
        Packer packer;
        transfer(packer, description);
        return packer.take();
    });
    FileDescription description;
    Unpacker unpacker(bytes);
    transfer(unpacker, description);
    return description;
}

}  // namespace sluice::pool
