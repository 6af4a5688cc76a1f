#pragma once

#include "core/types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::queue {

/// How work on one item ended. All but `refused` are final.
enum class ItemStatus {
    ok,            ///< a valid label
    nonconverged,  ///< the oracle says that its iteration did not converge
    invalid,  ///< there is a result, but it breaks a rule (not finite, out of bounds, wrong shape)
    timeout,  ///< ran longer than the time limit and was killed
    oracle_error,  ///< crashed, bad exit code, no or unreadable result
    refused,       ///< not now (lazy oracle, skipped by a person): offered again up to max_refusals
};

/// An item refused this often is not offered again: its state is then `cancelled`.
inline constexpr int max_refusals = 3;

/// `ok`, `nonconverged`, ...: as written in result lines, reports and help.
std::string_view status_name(ItemStatus status);
std::optional<ItemStatus> parse_status(std::string_view name);

/// One line of a result file: what became of one item. Fields that do not apply stay empty or 0.
struct ItemResult {
    std::int64_t item = 0;  ///< index within the batch, from 0
    RowId row = 0;
    std::string id;  ///< what users call the row
    ItemStatus status = ItemStatus::oracle_error;
    std::string reason;     ///< one line for people; for failures also what they are grouped by
    std::vector<double> y;  ///< [T] the label; empty unless ok. A class is one whole number
    bool is_class = false;  ///< y is a class index
    std::vector<std::string> units;  ///< [T] or empty
    std::string label_key;           ///< hash of pool, row and oracle: what the label is of
    std::string oracle_hash;         ///< of the oracle's specification; empty for people
    std::string annotator;           ///< who, for people
    std::string worker;              ///< NAME-PROCESS-NONCE of the lease
    std::string job_id;              ///< the scheduler's, as in SLURM_JOB_ID
    double started = 0.0;            ///< seconds since 1970 by the worker's clock; information only
    double wall_seconds = 0.0;
    double cpu_seconds = 0.0;
    std::int64_t peak_memory_kib = 0;
    std::optional<int> exit_code;
    std::optional<int> signal;
    int tries = 1;          ///< runs of the oracle for this result
    std::string quality;    ///< JSON object text from the oracle (iterations, ...); or empty
    std::string log_tail;   ///< of failures: the last 2 KiB
    std::string artifacts;  ///< of failures: HOST:DIRECTORY that was kept; or empty
};

/// One line of JSON, without a newline. Numbers read back to the same bits; text that is not UTF-8
/// is escaped by printable().
std::string result_text(const ItemResult& result);

/// Reads such a line. Throws Error(bad_data) naming `where` (FILE:LINE) for anything else, numbers
/// that are not finite included.
ItemResult parse_result(std::string_view line, const std::string& where);

}  // namespace sluice::queue
