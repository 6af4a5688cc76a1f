#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::labels {

/// Makes sure that the directory of label generations is there and can be trusted, and removes the
/// temporaries of processes that are gone. Throws Error(permission) if it belongs to somebody else
/// or everybody may write to it, Error(cannot_create) if it is no directory.
void open_labels_directory(const std::string& directory);

/// The numbers of the generations in it, ascending; none if it does not exist.
std::vector<std::int64_t> generation_numbers(const std::string& directory);

/// `labels.g0001.h5`.
std::string generation_name(std::int64_t number);

/// `conflicts.g0001.jsonl`.
std::string conflicts_name(std::int64_t number);

/// Writes `bytes` to a temporary in `directory`, synced, and compares what a reader gets with them.
/// Returns its path. The temporary is removed if a step fails.
std::string write_temporary(const std::string& directory, std::span<const std::byte> bytes);

/// Gives a temporary its name, durably, unless that is taken. Throws Error(try_again) if it is;
/// the temporary is gone in any case.
void publish_exclusively(const std::string& temporary, const std::string& directory,
                         std::string_view name);

/// Writes a text file in `directory` durably, replacing one of that name.
void publish_text(const std::string& directory, std::string_view name, std::string_view text);

}  // namespace sluice::labels
