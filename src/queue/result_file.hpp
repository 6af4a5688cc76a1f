#pragma once

#include "queue/result_line.hpp"
#include "queue/token.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::queue {

/// The name of a result file: the leased token's without the lease, then `.PART.jsonl`. One lease
/// may hand in several parts; a part is a plain word, new for each. No two holders ever share a
/// name.
struct ResultName {
    Token token;       ///< with holder, lease_seconds = 0
    std::string part;  ///< letters and digits

    bool operator==(const ResultName&) const = default;
};
std::string result_file_name(const ResultName& name);
std::optional<ResultName> parse_result_name(std::string_view name);

/// The last line of a result file. It seals the lines before it.
struct ResultSeal {
    std::int64_t lines = 0;
    std::string sha256;                          ///< of all lines before the seal
    std::map<std::string, std::int64_t> counts;  ///< status name -> lines
    double wall_seconds = 0.0;                   ///< summed over the lines

    /// Lines that are an end of their item: those of items that were given back are not.
    std::int64_t num_ended() const;
};

/// What a result file holds.
struct ResultFile {
    std::vector<ItemResult> results;
    ResultSeal seal;
};

/// Publishes results of one lease under `results/` (temporary name in tmp/, synced, read back,
/// renamed, folder synced): durable on return. Nothing happens if that name is there already, or in
/// settled/.
/// Throws Error(io_error, ...).
void publish_results(const std::string& queue_directory, const ResultName& name,
                     std::span<const ItemResult> results);

/// Reads and verifies one result file. Throws Error(bad_data) for a broken seal or line,
/// Error(permission) for a link or a foreign owner, Error(no_input) if it is gone.
ResultFile read_result_file(const std::string& path);

/// The seal alone, from the end of the file; unverified.
ResultSeal read_seal(const std::string& path);

}  // namespace sluice::queue
