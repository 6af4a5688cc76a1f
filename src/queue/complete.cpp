#include "queue/complete.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/sha256.hpp"
#include "queue/layout.hpp"
#include "queue/selected_csv.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace sluice::queue {
namespace {

// Over NFS a rename that happened may be reported as failed, and another process may have been
// first: what counts is that `from` is gone.
void move_once(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) == 0) return;
    const int rename_error = errno;
    if (rename_error != ENOENT || exists(from)) {
        throw system_error(to, "cannot rename " + from + " to it", rename_error);
    }
}

void require_arrived(const std::string& path, const OrderEntry& entry) {
    require(exists(path), ExitCode::bad_data,
            fmt::format("{}: missing, but batch {} has been issued; restore it from a backup", path,
                        entry.batch_id));
}

void move_tokens(const std::string& batch, const std::string& pending) {
    const std::string tokens = join(batch, batch_file::tokens);
    if (!exists(tokens)) return;
    for (const std::string& name : list_directory(tokens)) {
        move_once(join(tokens, name), join(pending, name));
    }
    sync_directory(pending);
    if (::rmdir(tokens.c_str()) != 0 && errno != ENOENT) {
        throw system_error(tokens, "cannot remove", errno);
    }
}

// A file of a batch that another process may be moving from tmp/ to its place meanwhile.
std::string read_batch_file(const std::string& queue_directory, const OrderEntry& entry,
                            std::string_view name, std::string_view staged_name) {
    const std::string batch = join(join(queue_directory, folder::batches), entry.batch_id);
    const std::string staged = join(join(queue_directory, folder::tmp), entry.staged);
    for (const std::string& path :
         {join(batch, name), join(staged, staged_name), join(batch, staged_name)}) {
        if (!exists(path)) continue;
        try {
            return read_own_file(path);
        } catch (const Error& error) {
            if (error.code() != ExitCode::no_input) throw;  // moved on in between
        }
    }
    return read_own_file(join(batch, name));
}

}  // namespace

void complete_batch(const std::string& queue_directory, const OrderEntry& entry) {
    const std::string batches = join(queue_directory, folder::batches);
    const std::string batch = join(batches, entry.batch_id);
    const std::string manifest = join(batch, batch_file::manifest);
    if (exists(manifest)) return;
    // The entry's maker may have been killed before it was durable.
    sync_directory(join(queue_directory, folder::order));
    move_once(join(join(queue_directory, folder::tmp), entry.staged), batch);
    require_arrived(batch, entry);
    sync_directory(batches);
    move_tokens(batch, join(queue_directory, folder::pending));
    move_once(join(batch, batch_file::staged_manifest), manifest);
    require_arrived(manifest, entry);
    sync_directory(batch);
}

std::vector<RowId> rows_of_batch(const std::string& queue_directory, const OrderEntry& entry) {
    const std::string text =
        read_batch_file(queue_directory, entry, batch_file::selected, batch_file::selected);
    const std::string manifest_text =
        read_batch_file(queue_directory, entry, batch_file::manifest, batch_file::staged_manifest);
    const std::string path = fmt::format("{}/{}/{}/{}", queue_directory, folder::batches,
                                         entry.batch_id, batch_file::selected);
    const auto manifest = nlohmann::json::parse(manifest_text, nullptr, false);
    const auto pointer = nlohmann::json::json_pointer("/files/selected.csv/sha256");
    const bool intact =
        manifest.is_object() && manifest.contains(pointer) && manifest[pointer] == sha256_hex(text);
    require(intact, ExitCode::bad_data,
            path + ": does not match its manifest; the batch is damaged, restore it from a backup");
    return rows_of_selected_csv(text, path);
}

}  // namespace sluice::queue
