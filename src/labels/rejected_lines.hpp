#pragma once

#include "queue/result_line.hpp"

#include <cstdint>
#include <string>

namespace sluice::labels {

/// Lines of one result file that no label can be made of, with the reason.
class RejectedLines {
  public:
    /// `number` counts the file's lines from 1.
    void add(std::int64_t number, const std::string& reason, const queue::ItemResult& result);

    std::int64_t count() const { return count_; }

    /// Writes them to quarantine/FILE.rejected.jsonl, durably, if there are any: the same lines
    /// give the same file. Throws Error(io_error, ...).
    void publish(const std::string& queue_directory, const std::string& file) const;

  private:
    std::string text_;
    std::int64_t count_ = 0;
};

}  // namespace sluice::labels
