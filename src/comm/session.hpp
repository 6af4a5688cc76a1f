#pragma once

#include "comm/communicator.hpp"

namespace sluice::comm {

/// Owns MPI for the life of the process: MPI_Init_thread(FUNNELED) on construction, MPI_Finalize
/// on destruction. One object, made in main. A process started without mpirun is one rank.
///
/// A process that leaves by exit() while the session is alive ends the whole job: an atexit
/// handler prints one line naming the rank and calls MPI_Abort. (mpirun itself ends the job when a
/// rank is killed by a signal.)
class Session {
  public:
    Session(int& argc, char**& argv);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// All ranks, on a communicator of our own whose errors are returned and checked.
    Communicator& world() { return world_; }

    /// Ends every rank of the job at once with `exit_code`. Does not return.
    [[noreturn]] void abort(int exit_code);

  private:
    Communicator world_;
};

}  // namespace sluice::comm
