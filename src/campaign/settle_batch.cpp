#include "campaign/settle_batch.hpp"

#include "campaign/round_labels.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "labels/ingest.hpp"
#include "queue/layout.hpp"

#include <fmt/format.h>

namespace sluice::campaign {
namespace {

void tell(const labels::IngestReport& report, const std::string& queue_directory) {
    if (report.conflicts > 0 && !report.conflict_files.empty()) {
        log_warning(fmt::format("{}: lists {} labels that contradict labels that count",
                                report.conflict_files.back(), report.conflicts));
    }
    if (report.rejected > 0) {
        log_warning(
            fmt::format("{}/quarantine: {} results were rejected; *.rejected.jsonl there "
                        "says why",
                        queue_directory, report.rejected));
    }
    if (!report.forbidden.empty()) throw Error(ExitCode::permission, report.forbidden.front());
    if (!report.damaged.empty()) throw Error(ExitCode::bad_data, report.damaged.front());
}

}  // namespace

std::int64_t settle_batch(const WaitingBatch& batch, const LabelSpec& label) {
    if (queue::exists(batch.record)) return 0;
    labels::IngestRequest request;
    request.queue_directory = batch.queue_directory;
    request.labels_directory = batch.labels_directory;
    request.tolerance = label.tolerance;
    request.classes = label.classes;
    tell(labels::ingest(request), batch.queue_directory);
    const BatchProgress progress = batch_progress(batch.queue_directory, batch.batch_id);
    const std::int64_t open = progress.open + progress.waiting;
    if (open > 0) return open;
    publish_text_file(batch.record,
                      labels_csv(batch.queue_directory, batch.labels_directory, batch.batch_id));
    return 0;
}

std::int64_t num_waiting(const WaitingBatch& batch) {
    if (queue::exists(batch.record)) return 0;
    const BatchProgress progress = batch_progress(batch.queue_directory, batch.batch_id);
    return progress.open;
}

}  // namespace sluice::campaign
