#pragma once

#include "core/durable_file.hpp"
#include "oracle/process.hpp"

#include <sys/types.h>

#include <string>

namespace sluice::oracle {

/// A child that runs its program, and this process's ends of the pipes to it; or why it does not.
struct StartedProcess {
    pid_t id = -1;
    FileDescriptor input;   ///< not valid without input: stdin is then /dev/null
    FileDescriptor output;  ///< these never block
    FileDescriptor log;
    std::string error;  ///< the program could not be run; there is no child then
};

/// Starts the program in a process group of its own, with limits, default signals and no other
/// descriptors. Throws Error(io_error) if this machine has no more pipes or processes to give.
StartedProcess start_process(const ProcessRequest& request);

/// Keeps descriptors that this process inherited or that libraries opened from its children.
void keep_descriptors_private();

}  // namespace sluice::oracle
