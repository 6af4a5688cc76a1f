#pragma once

#include "queue/result_line.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::queue {

/// File formats that people's tools read and write.
struct ExchangeFormat {
    std::string name;  ///< as in --to and --from
    std::string summary;
};

/// The registry: labelstudio, jsonl, csv.
const std::vector<ExchangeFormat>& exchange_formats();

struct ExportRequest {
    std::string queue_directory;
    std::string format;
    std::string path;              ///< file to write
    std::string person = "human";  ///< who gets the tickets
    std::int64_t max_items = 0;    ///< 0 = all that are pending
    std::int64_t lease_days = 14;
    std::vector<std::string> tags;
};

/// Claims tickets for a person until they hold at least max_items items and writes every open item
/// that this person holds, one task each. Run again it writes the same tasks. Returns how many.
/// Each task carries `sluice_id` = `BATCH:ITEM`, row, id, the inputs by name, score, and the lease.
std::int64_t export_items(const ExportRequest& request);

struct ImportRequest {
    std::string queue_directory;
    std::string format;
    std::string path;
    std::vector<std::string>
        class_names;  ///< choice texts in the order of class indices; may be empty
};

struct ImportReport {
    std::int64_t labels = 0;
    std::int64_t skipped = 0;           ///< refused: offered again up to max_refusals
    std::int64_t repeats = 0;           ///< imported before
    std::int64_t unanswered = 0;        ///< tasks without an annotation
    std::vector<std::string> rejected;  ///< unknown ids, unreadable answers: one line each
    std::int64_t tickets_finished = 0;
};

/// Takes answers, found by our id alone: in any order, partial, repeated, of several annotators.
/// Publishes them as result files named after their content, so that repeating an import changes
/// nothing; ends leases whose items are all answered. Throws Error(bad_data) if the file as a whole
/// cannot be read.
ImportReport import_answers(const ImportRequest& request);

/// For people, and as one JSON object.
std::string import_text(const ImportReport& report);
std::string import_json(const ImportReport& report);

}  // namespace sluice::queue
