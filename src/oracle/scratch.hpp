#pragma once

#include "oracle/spec.hpp"

#include <cstdint>
#include <deque>
#include <string>

namespace sluice::oracle {

/// The scratch directories of one worker: `PARENT/sluice-UID-MARK-PROCESS-XXXXXX/N`, a new one for
/// every run of the oracle, closed to other users. Removed at the end, but for those kept of
/// failures (`failed-N`); those of workers that were killed are removed by the next one,
/// and what their oracles left running in them is ended.
class Scratch {
  public:
    /// `parent` empty = TMPDIR or /tmp. `keep_failed` = how many directories of failures stay.
    /// Throws Error(no_input|permission|cannot_create) if the parent cannot be used or trusted.
    Scratch(const std::string& parent, int keep_failed);

    /// Removes what is not kept, and says where the rest is.
    ~Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    /// A new empty directory; whoever asked for it clears it away.
    std::string create();

    /// Keeps the directory of a failure, and removes the oldest one beyond the limit. Returns
    /// HOST:DIRECTORY, or nothing if none are kept.
    std::string keep(const std::string& directory);

  private:
    std::string base_;
    int keep_failed_;
    std::int64_t num_created_ = 0;
    std::int64_t num_kept_ = 0;
    std::deque<std::string> kept_;
};

/// Puts an item's input.json, rendered templates and files into its scratch directory.
void write_inputs(const Spec& spec, const queue::TicketItem& item, const std::string& directory);

/// Puts the files of an oracle that reads its items from stdin there.
void write_files(const Spec& spec, const std::string& directory);

}  // namespace sluice::oracle
