#include "queue/batch_files.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "queue/items_file.hpp"
#include "queue/layout.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <set>
#include <span>

namespace sluice::queue {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view manifest_format = "sluice-batch";
constexpr int manifest_format_version = 1;

void check_item(const BatchItem& item, const Batch& batch) {
    const std::size_t num_inputs = batch.items.front().inputs.size();
    require(item.row >= 0, ExitCode::internal, "batch: negative row");
    require(item.inputs.size() == num_inputs, ExitCode::internal, "batch: inputs differ in size");
    for (std::size_t i = 0; i < item.inputs.size(); ++i) {
        require(std::isfinite(item.inputs[i]), ExitCode::bad_data,
                fmt::format("inputs[{}]: column {} is not finite ({}); an oracle cannot take it, "
                            "correct the pool",
                            item.row, i, number_text(item.inputs[i])));
    }
    try {
        static_cast<void>(Json(item.id).dump());
    } catch (const Json::exception&) {
        throw Error(ExitCode::bad_data,
                    fmt::format("ids[{}]: not valid UTF-8 (\"{}\"); correct the pool", item.row,
                                printable(item.id)));
    }
}

void check_inputs(const Batch& batch) {
    const std::size_t num_names = batch.input_names.size();
    const std::size_t num_units = batch.input_units.size();
    const std::size_t num_inputs =
        batch.items.empty() ? num_names : batch.items.front().inputs.size();
    require(num_names == 0 || num_names == num_inputs, ExitCode::bad_data,
            fmt::format("inputs@names: {} names for {} columns; correct the pool", num_names,
                        num_inputs));
    require(num_units == 0 || num_units == num_inputs, ExitCode::bad_data,
            fmt::format("inputs@units: {} units for {} columns; correct the pool", num_units,
                        num_inputs));
    std::set<std::string> seen;
    for (const std::string& name : batch.input_names) {
        require(
            seen.insert(name).second, ExitCode::bad_data,
            fmt::format("inputs@names: two columns are called '{}'; rename one", printable(name)));
    }
}

// What a worker reads of one item: named values where the pool names its inputs.
Json ticket_line(const Batch& batch, std::size_t index) {
    const BatchItem& item = batch.items[index];
    Json line = {{"item", index}, {"row", item.row}, {"id", item.id}};
    if (batch.input_names.empty()) {
        line["inputs"] = item.inputs;
        return line;
    }
    line["inputs"] = Json::object();
    for (std::size_t i = 0; i < item.inputs.size(); ++i) {
        line["inputs"][batch.input_names[i]] = item.inputs[i];
    }
    return line;
}

// Builds one batch directory and keeps the book of what is in it.
class Builder {
  public:
    Builder(const Batch& batch, std::string directory)
        : batch_(batch), directory_(std::move(directory)) {}

    void build();

  private:
    void add_file(std::string_view name, std::string_view text);
    void add_ticket(std::int64_t number, std::size_t first_item);
    std::int64_t add_tickets();
    std::string manifest_text(std::int64_t num_tickets) const;
    std::string path_of(std::string_view name) const { return join(directory_, name); }

    const Batch& batch_;
    std::string directory_;
    Json files_ = Json::object();
};

void Builder::build() {
    create_folder(directory_);
    create_folder(path_of(batch_file::tickets));
    create_folder(path_of(batch_file::tokens));
    const std::vector<std::byte> items = items_file(batch_);
    add_file(batch_file::items, {reinterpret_cast<const char*>(items.data()), items.size()});
    add_file(batch_file::selected, selected_csv(batch_.items));
    const std::int64_t num_tickets = add_tickets();
    if (!batch_.provenance.empty()) {
        create_text_file(path_of(batch_file::provenance), batch_.provenance);
    }
    create_text_file(path_of(batch_file::staged_manifest), manifest_text(num_tickets));
    for (const auto& [name, facts] : files_.items())
        sync_path(path_of(name));
    sync_directory(path_of(batch_file::tickets));
    sync_directory(path_of(batch_file::tokens));
    sync_directory(directory_);
}

// What was written is read back before the manifest vouches for it.
void Builder::add_file(std::string_view name, std::string_view text) {
    const std::string path = path_of(name);
    create_text_file(path, text, SyncTime::later);
    require(read_text_file(path, text.size()) == text, ExitCode::io_error,
            path +
                ": reads back differently from what was written; see whether the file system "
                "is healthy, then run again");
    files_[std::string(name)] = {{"bytes", text.size()}, {"sha256", sha256_hex(text)}};
}

void Builder::add_ticket(std::int64_t number, std::size_t first_item) {
    const std::size_t end =
        std::min(batch_.items.size(), first_item + static_cast<std::size_t>(batch_.ticket_items));
    std::string text;
    for (std::size_t i = first_item; i < end; ++i)
        text += ticket_line(batch_, i).dump() + "\n";
    const std::string name = number_name(number);
    add_file(fmt::format("{}/{}.jsonl", batch_file::tickets, name), text);
    // The name says everything, and the directory is synced: a token needs no sync of its own.
    const std::string token =
        fmt::format("{}/{}-{}.a1", path_of(batch_file::tokens), batch_.id, name);
    FileDescriptor file(
        ::open(token.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0664), token);
    if (!file.valid()) throw system_error(token, "cannot create", errno);
    file.close();
}

std::int64_t Builder::add_tickets() {
    std::int64_t number = 0;
    for (std::size_t first = 0; first < batch_.items.size();
         first += static_cast<std::size_t>(batch_.ticket_items)) {
        add_ticket(++number, first);
    }
    return number;
}

std::string Builder::manifest_text(std::int64_t num_tickets) const {
    Json manifest = {{"format", manifest_format}, {"format_version", manifest_format_version},
                     {"id", batch_.id},           {"items", batch_.items.size()},
                     {"tickets", num_tickets},    {"ticket_items", batch_.ticket_items}};
    if (!batch_.tag.empty()) manifest["tag"] = batch_.tag;
    const Json given = Json::parse(batch_.manifest);
    for (const auto& [key, value] : given.items()) {
        require(!manifest.contains(key) && key != "files", ExitCode::internal,
                "batch: the manifest's field '" + key + "' is the queue's own");
        manifest[key] = value;
    }
    manifest["files"] = files_;
    return manifest.dump(2) + "\n";
}

}  // namespace

void check_batch(const Batch& batch) {
    // Names of tokens put a dot after the batch and the ticket.
    require(is_plain_name(batch.id) && batch.id.find('.') == std::string::npos, ExitCode::internal,
            "batch: id '" + batch.id + "'");
    require(batch.tag.empty() || is_plain_name(batch.tag), ExitCode::internal,
            "batch: tag '" + batch.tag + "'");
    require(batch.ticket_items >= 1, ExitCode::internal, "batch: tickets need at least one item");
    require(batch.features.size() == batch.items.size() * static_cast<std::size_t>(batch.dim),
            ExitCode::internal, "batch: features are not [items, dim]");
    require(Json::parse(batch.manifest, nullptr, false).is_object(), ExitCode::internal,
            "batch: the manifest is not a JSON object");
    check_inputs(batch);
    for (const BatchItem& item : batch.items)
        check_item(item, batch);
}

void build_batch(const Batch& batch, const std::string& directory) {
    Builder(batch, directory).build();
}

}  // namespace sluice::queue
