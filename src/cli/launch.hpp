#pragma once

#include "comm/communicator.hpp"

#include <span>
#include <string>

namespace sluice::cli {

/// What a process of sluice needs before anything else: the C locale, SIGPIPE and SIGXFSZ ignored
/// (a closed stdout or a limit on file sizes is an error of write() with a message), descriptors 0
/// to 2 taken (else the next file opened would be "stdout"), and stop signals as a flag.
void prepare_process();

/// Call before MPI starts: a quick start of Open MPI when there is no launcher, and one without
/// drivers of absent networks when there is. Variables the user has set are kept. What is set here
/// would mislead MPI programs started below this process.
void prepare_mpi();

/// Whether mpirun, srun or the like started this process as one of a job's ranks.
bool is_launched();

/// Whether this process may print what all ranks would print, before MPI has started.
bool prints_before_mpi();

/// Warns when srun started several processes that MPI does not connect: each would do all the work.
void warn_of_separate_tasks(const comm::Communicator& world);

/// Throws AgreedError(usage) on all ranks unless all were started with the same `text`.
/// `what` names it, as in "arguments". \collective
void require_same(const std::string& text, const std::string& what, comm::Communicator& world);

/// Writes results to stdout. A failure is kept for finish_output.
void print_result(const std::string& text);

/// Flushes stdout; false if anything written there was lost.
bool finish_output();

}  // namespace sluice::cli
