#pragma once

#include "core/durable_file.hpp"
#include "oracle/process.hpp"

#include <sys/types.h>

namespace sluice::oracle {

/// A child that runs its program, or is about to, and this process's ends of the pipes to it.
struct StartedProcess {
    pid_t id = -1;
    FileDescriptor output;  ///< none of them blocks
    FileDescriptor log;
    FileDescriptor failure;  ///< says why the program could not be run; see start_failure
};

/// Starts the program in a process group of its own, with limits, default signals and no other
/// descriptors. Throws Error(io_error) if this machine has no more pipes or processes to give.
StartedProcess start_process(const ProcessRequest& request);

/// errno of a child that has ended without running its program, else 0.
int start_failure(const FileDescriptor& failure);

/// Keeps descriptors that this process inherited or that libraries opened from its children.
void keep_descriptors_private();

}  // namespace sluice::oracle
