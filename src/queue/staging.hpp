#pragma once

#include <string>
#include <vector>

namespace sluice::queue {

/// A name for something in tmp/ that says which process builds in it: `HOST.PID.NONCE.MARK`
/// with process_mark(), different on every call.
std::string staging_name();

/// Removes what processes that are gone left in tmp/. Touches nothing of other machines,
/// of living processes, or what an issued batch still needs. Returns the names.
std::vector<std::string> remove_leftovers(const std::string& queue_directory);

}  // namespace sluice::queue
