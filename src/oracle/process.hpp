#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice::oracle {

/// What to run. No shell is involved.
struct ProcessRequest {
    std::string program;                             ///< path
    std::vector<std::string> arguments;              ///< argv, [0] included
    std::map<std::string, std::string> environment;  ///< all of it
    std::string directory;                           ///< working directory
    std::string input;                               ///< given on stdin, as a file
    double time_limit_seconds = 0.0;                 ///< 0 = none
    std::int64_t output_limit_bytes = 1 << 20;       ///< of stdout; beyond it the process is killed
    std::int64_t log_limit_bytes = 1 << 20;          ///< of stderr; beyond it the process is killed
    std::int64_t file_limit_bytes = 0;               ///< RLIMIT_FSIZE; 0 = none
};

/// How a process ended.
struct ProcessOutcome {
    enum class End { exited, signalled, timed_out, log_limit, stopped, not_started };
    End end = End::not_started;
    int exit_code = 0;
    int signal = 0;
    std::string start_error;  ///< of not_started
    std::string output;       ///< stdout, up to its limit
    std::string log;          ///< stderr, up to its limit
    double started = 0.0;     ///< seconds since 1970
    double wall_seconds = 0.0;
    double cpu_seconds = 0.0;
    std::int64_t peak_memory_kib = 0;
};

/// Waits for child processes in one thread: no threads, so that fork is safe.
class ProcessPool;

/// A child process in a process group of its own, which is killed as a whole at the end (SIGTERM, 2
/// s later SIGKILL). It dies with this process (PR_SET_PDEATHSIG). Its output is read as it comes.
class Process {
  public:
    Process(ProcessPool& pool, ProcessRequest request);
    ~Process();  ///< kills what still runs
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    bool finished() const;
    const ProcessOutcome& outcome() const;  ///< once finished
    double running_seconds() const;

    /// Ends it now; the outcome's end is `stopped`.
    void stop();

  private:
    friend class ProcessPool;
    struct State;
    std::unique_ptr<State> state_;
};

class ProcessPool {
  public:
    ProcessPool();
    ~ProcessPool();

    /// Serves all processes until one ends, a signal comes, or `limit` is over.
    void wait(std::chrono::milliseconds limit);

  private:
    friend class Process;
    struct State;
    std::unique_ptr<State> state_;
};

/// The environment an oracle starts with: PATH, HOME, USER, LOGNAME, SHELL, LANG, LD_LIBRARY_PATH,
/// TMPDIR and the names in `passed` from this process, OMP_NUM_THREADS=1, then `set`. Nothing of
/// MPI or the scheduler is left: an Open MPI program started below another one fails in MPI_Init if
/// it inherits OMPI_* or PMIX_*.
std::map<std::string, std::string> clean_environment(const std::vector<std::string>& passed,
                                                     const std::map<std::string, std::string>& set);

}  // namespace sluice::oracle
