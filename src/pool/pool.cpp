#include "pool/pool.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "pool/archive.hpp"
#include "pool/describe.hpp"

#include <algorithm>

namespace sluice::pool {
namespace {

std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : texts)
        all += (all.empty() ? "" : ", ") + text;
    return all;
}

std::string kind_of(const Dataset& dataset) {
    const auto kind = dataset.attributes.find("kind");
    return kind == dataset.attributes.end() ? "probability" : joined(kind->second);
}

std::string type_text(const Dataset& dataset) {
    return element_name(dataset.type) + (dataset.big_endian ? " big-endian" : "") +
           (dataset.text_bytes > 0 ? " of " + std::to_string(dataset.text_bytes) + " bytes" : "");
}

std::string where(const Dataset& dataset) {
    return dataset.parts.front().path + ": " + printable(dataset.path);
}

// Every dataset of one file has one row for each sample.
void require_equal_rows(const FileDescription& file) {
    const Dataset& first = file.datasets.front();
    for (const Dataset& dataset : file.datasets) {
        require(dataset.num_rows == first.num_rows, ExitCode::bad_data,
                where(dataset) + ": has " + std::to_string(dataset.num_rows) + " rows, but " +
                    printable(first.path) + " has " + std::to_string(first.num_rows) +
                    "; every dataset of a pool needs one row for each sample");
    }
}

void require_same(const std::string& found, const std::string& wanted, const std::string& what,
                  const Dataset& dataset, const Dataset& first) {
    require(found == wanted, ExitCode::bad_data,
            where(dataset) + ": its " + what + " (" + found + ") differs from that in " +
                first.parts.front().path + " (" + wanted + "); the files of a pool must agree");
}

void require_agreement(const Dataset& dataset, const Dataset& first) {
    require_same(shape_text(dataset.row_shape), shape_text(first.row_shape), "row shape", dataset,
                 first);
    require_same(type_text(dataset), type_text(first), "type", dataset, first);
    require_same(kind_of(dataset), kind_of(first), "kind", dataset, first);
}

// Adds a further file's rows behind those of the files before.
void append(std::map<std::string, Dataset>& datasets, FileDescription file, RowId first_row) {
    const std::string path = file.datasets.front().parts.front().path;
    for (const auto& entry : datasets) {
        const bool there =
            std::any_of(file.datasets.begin(), file.datasets.end(),
                        [&](const Dataset& dataset) { return dataset.role == entry.first; });
        require(there, ExitCode::bad_data,
                path + ": " + printable(entry.second.path) + ": no such dataset, but " +
                    entry.second.parts.front().path +
                    " has it; the files of a pool must agree; this file has " +
                    joined(file.contents));
    }
    for (Dataset& dataset : file.datasets) {
        const auto known = datasets.find(dataset.role);
        require(known != datasets.end(), ExitCode::bad_data,
                where(dataset) + ": not in the files before it; the files of a pool must agree");
        require_agreement(dataset, known->second);
        FilePart part = std::move(dataset.parts.front());
        part.rows = {first_row, first_row + dataset.num_rows};
        known->second.parts.push_back(std::move(part));
        known->second.num_rows += dataset.num_rows;
    }
}

Pool describe_pool(const PoolSource& source) {
    require(!source.files.empty(), ExitCode::usage, "no pool file given; name one or more");
    Pool pool;
    pool.source = source;
    for (const std::string& path : source.files) {
        FileDescription file = describe_file(path, source);
        for (const std::string& note : file.notes)
            log_warning(note);
        require_equal_rows(file);
        const RowId num_rows = file.datasets.front().num_rows;
        if (pool.datasets.empty()) {
            pool.contents = file.contents;
            for (Dataset& dataset : file.datasets)
                pool.datasets.emplace(dataset.role, std::move(dataset));
        } else {
            append(pool.datasets, std::move(file), pool.num_rows);
        }
        pool.num_rows += num_rows;
    }
    return pool;
}

}  // namespace

const std::vector<std::string>& standard_roles() {
    static const std::vector<std::string> roles{
        "features", "probabilities", "committee", "predictions", "inputs", "ids", "groups", "cost"};
    return roles;
}

const Dataset* Pool::find(const std::string& role) const {
    const auto found = datasets.find(role);
    return found == datasets.end() ? nullptr : &found->second;
}

const Dataset& Pool::get(const std::string& role, const std::string& needed_by) const {
    const Dataset* dataset = find(role);
    if (dataset != nullptr) return *dataset;
    const bool standard =
        std::find(standard_roles().begin(), standard_roles().end(), role) != standard_roles().end();
    throw Error(ExitCode::bad_data,
                (source.files.empty() ? std::string("pool") : source.files.front()) + ": /" +
                    printable(role) + ": no such dataset, but " + needed_by +
                    " needs it; the file has " + joined(contents) +
                    (standard ? "; name one with --" + role : ""));
}

Pool open_pool(const PoolSource& source, comm::Communicator& world) {
    std::string bytes;
    world.agree([&] {
        if (world.is_root()) bytes = pack(describe_pool(source));
    });
    world.broadcast(bytes);
    return unpack<Pool>(bytes);
}

}  // namespace sluice::pool
