#pragma once

#include "core/directory.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::queue {

/// The folders of a queue directory. They are siblings, so that every move between them is one
/// rename within one file system.
namespace folder {
inline constexpr std::string_view batches = "batches";  ///< ID/: immutable once it has a manifest
inline constexpr std::string_view order = "order";      ///< NNNNNN: which batches, in which order
inline constexpr std::string_view pending = "pending";  ///< tokens of tickets nobody works on
inline constexpr std::string_view leased = "leased";    ///< tokens of tickets being worked on
inline constexpr std::string_view results = "results";  ///< what workers hand in
inline constexpr std::string_view settled = "settled";  ///< results taken into the labels
inline constexpr std::string_view quarantine = "quarantine";  ///< tickets that failed too often
inline constexpr std::string_view tmp = "tmp";                ///< everything not yet published
inline constexpr std::array all = {batches, order,   pending,    leased,
                                   results, settled, quarantine, tmp};
}  // namespace folder

/// Names inside a batch directory.
namespace batch_file {
inline constexpr std::string_view items = "items.h5";
inline constexpr std::string_view selected = "selected.csv";
inline constexpr std::string_view provenance = "provenance.json";
inline constexpr std::string_view manifest = "manifest.json";
/// The finished manifest before the commit point; renamed to manifest.json last of all.
inline constexpr std::string_view staged_manifest = "manifest.staged";
inline constexpr std::string_view tickets = "tickets";
/// The batch's tokens before they are moved to pending, each by one rename: exactly once.
inline constexpr std::string_view tokens = "tokens";
}  // namespace batch_file

/// The file that says that a directory is a queue, and of which format.
inline constexpr std::string_view format_file = "queue.json";

/// `DIRECTORY/NAME`.
std::string join(const std::string& directory, std::string_view name);

/// `000042`: file names of order entries (from 1) and tickets (from 1).
std::string number_name(std::int64_t number);

/// The number in such a name; 0 if it is none.
std::int64_t number_of_name(std::string_view name);

/// True for names that may stand in a path as one component: letters, digits, `-`, `_` and `.`,
/// not beginning with a dot.
bool is_plain_name(std::string_view name);

/// True if something of this name exists; a symbolic link is not followed.
bool exists(const std::string& path);

/// Creates a directory that is never writable by everybody; one that exists is left alone.
void create_folder(const std::string& path);

/// For errors about what stands in the queue (damaged, of others, gone): the rest of it can be
/// worked on. Errors about the file system are thrown again; but if one of our own files may not be
/// read, only that is left out, and it is trouble (core/trouble.hpp).
void pass_over(const Error& error);

/// Opens one of the queue's own files for reading. Throws Error(permission) unless it is a regular
/// file of this user: links are not followed. Throws Error(no_input) if it is gone.
FileDescriptor open_own_file(const std::string& path);

/// The text of such a file; at most `max_bytes`, else Error(bad_data).
std::string read_own_file(const std::string& path, std::size_t max_bytes = std::size_t{64} << 20);

/// Renames within the queue and judges by what is there afterwards, because over NFS a rename that
/// happened may be reported as failed. False if `from` was gone and `to` is not there. Throws
/// Error(io_error and others) when the file system refuses.
bool move_entry(const std::string& from, const std::string& to);

/// Creates the queue's format file and folders where absent and checks that they can be trusted.
/// Throws Error(permission) for a directory that belongs to somebody else or that everybody may
/// write to, Error(cannot_create) for one that holds other things, Error(bad_data) for another
/// format version.
void open_layout(const std::string& directory);

/// For commands that only work on a queue that is there: nothing is created. Throws Error(no_input)
/// if `directory` is no queue, Error(bad_data) for another format version, Error(permission) where
/// it or one of its folders cannot be trusted.
void require_queue(const std::string& directory);

}  // namespace sluice::queue
