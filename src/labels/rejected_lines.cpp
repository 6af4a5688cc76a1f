#include "labels/rejected_lines.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "queue/layout.hpp"
#include "queue/staging.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sluice::labels {

void RejectedLines::add(std::int64_t number, const std::string& reason,
                        const queue::ItemResult& result) {
    text_ += fmt::format("{{\"line\":{},\"reason\":{},\"result\":{}}}\n", number,
                         nlohmann::json(reason).dump(), queue::result_text(result));
    ++count_;
}

void RejectedLines::publish(const std::string& queue_directory, const std::string& file) const {
    if (count_ == 0) return;
    const std::string draft =
        queue::join(queue::join(queue_directory, queue::folder::tmp), queue::staging_name());
    const std::string quarantine = queue::join(queue_directory, queue::folder::quarantine);
    const std::string path = queue::join(quarantine, file + ".rejected.jsonl");
    try {
        create_text_file(draft, text_);
        require(queue::move_entry(draft, path), ExitCode::io_error,
                draft + ": vanished before it could be published; run again");
        sync_directory(quarantine);
    } catch (...) {
        clear_away(draft);
        throw;
    }
}

}  // namespace sluice::labels
