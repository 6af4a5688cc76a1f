#include "pool/child_process.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/proc_file.hpp"
#include "core/trouble.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace sluice::pool {
namespace {

constexpr rlim_t extra_memory_bytes = rlim_t{2} << 30;
constexpr unsigned time_limit_seconds = 60;
constexpr char succeeded = 'R';

rlim_t address_space_bytes() {
    const auto statm = read_proc_file("/proc/self/statm");
    const long pages = statm ? std::strtol(statm->c_str(), nullptr, 10) : 0;
    return static_cast<rlim_t>(pages) * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

void limit(int resource, rlim_t amount) {
    const rlimit both{amount, amount};
    ::setrlimit(resource, &both);
}

// Signals do what they do by default, whatever the parent and MPI have set up, and a crash leaves
// no core file and no words on the terminal.
void confine_this_process() {
    for (const int number : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM, SIGTERM, SIGINT,
                             SIGPIPE, SIGUSR1, SIGUSR2}) {
        ::signal(number, SIG_DFL);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const FileDescriptor nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC), "/dev/null");
    if (!nowhere.valid() || ::dup2(nowhere.get(), STDERR_FILENO) < 0) {
        throw system_error("/dev/null", "cannot open", errno);
    }
    limit(RLIMIT_CORE, 0);
    const rlim_t now = address_space_bytes();
    if (now > 0) limit(RLIMIT_AS, now + extra_memory_bytes);
    ::alarm(time_limit_seconds);
}

// What the child does. First byte: R and the result, or the exit code of an error and its message.
std::string outcome_of(const std::string& path, const std::function<std::string()>& work) {
    const auto failure = [](ExitCode code, const std::string& message) {
        return static_cast<char>(code) + message;
    };
    try {
        take_trouble();  // the parent's
        confine_this_process();
        const std::string result = work();
        fail_on_trouble();
        return succeeded + result;
    } catch (const Error& error) {
        return failure(error.code(), error.what());
    } catch (const std::bad_alloc&) {
        return failure(ExitCode::bad_data, path +
                                               ": describing it takes more memory than 2 GiB; "
                                               "the file is damaged, copy or make it again");
    } catch (const std::exception& error) {
        return failure(ExitCode::internal, path + ": " + error.what());
    }
}

void write_all(int descriptor, const std::string& bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t written = ::write(descriptor, bytes.data() + done, bytes.size() - done);
        if (written < 0 && errno != EINTR) return;
        if (written > 0) done += static_cast<std::size_t>(written);
    }
}

std::string read_to_end(int descriptor) {
    std::string bytes;
    std::array<char, std::size_t{1} << 16> buffer{};
    for (;;) {
        const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return bytes;
        bytes.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

std::string cause_of_death(int status) {
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) return "no answer within 60 s";
    if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
    return "exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

std::string run_in_child(const std::string& path, const std::function<std::string()>& work) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw system_error(path, "cannot make a pipe", errno);
    FileDescriptor reading(ends[0], path);
    FileDescriptor writing(ends[1], path);
    const pid_t child = ::fork();
    if (child < 0) throw system_error(path, "cannot start a process", errno);
    if (child == 0) {
        write_all(writing.get(), outcome_of(path, work));
        ::_exit(0);  // no exit handlers: they belong to the parent
    }
    writing = FileDescriptor();
    const std::string outcome = read_to_end(reading.get());
    const int status = wait_for(child);
    if (status != 0 || outcome.empty()) {
        throw Error(ExitCode::bad_data, path + ": the HDF5 library failed on this file (" +
                                            cause_of_death(status) +
                                            "); the file is damaged, copy or make it again");
    }
    if (outcome[0] == succeeded) return outcome.substr(1);
    throw Error(static_cast<ExitCode>(outcome[0]), outcome.substr(1));
}

}  // namespace sluice::pool
