#pragma once

#include <functional>
#include <string>

namespace sluice::pool {

/// Runs `work` in a child process (a fork of this one) and returns what it returns. The child may
/// take 2 GiB more memory than this process has, and 60 s. An Error thrown by `work` is thrown
/// here. If the child dies - damaged files crash and hang the HDF5 library - throws
/// Error(bad_data) that says so of the file at `path`. May be called by several threads; `work`
/// must not need anything that another thread may hold (beyond the allocator).
std::string run_in_child(const std::string& path, const std::function<std::string()>& work);

}  // namespace sluice::pool
