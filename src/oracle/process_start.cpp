#include "oracle/process_start.hpp"

#include "core/directory.hpp"
#include "core/error.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <span>
#include <utility>
#include <vector>

namespace sluice::oracle {
namespace {

struct Pipe {
    FileDescriptor reading;
    FileDescriptor writing;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw system_error("oracle", "cannot make a pipe; start fewer workers", errno);
    }
    return {{ends[0], "pipe of the oracle"}, {ends[1], "pipe of the oracle"}};
}

void never_block(const FileDescriptor& file) {
    const int flags = ::fcntl(file.get(), F_GETFL);
    if (flags < 0 || ::fcntl(file.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
        throw system_error("oracle", "cannot set up a pipe", errno);
    }
}

// All that the child needs, made before the fork: after it only calls that are safe in a signal
// handler are allowed.
struct ChildPlan {
    pid_t parent = 0;
    const char* program = nullptr;
    const char* directory = nullptr;
    std::vector<char*> arguments;
    std::vector<char*> environment;
    rlim_t file_limit = 0;
    int input = -1;
    int output = -1;
    int log = -1;
    int failure = -1;  ///< gets errno; closes when the program starts
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts)
        pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

// Whatever this process ignores, blocks or handles, the program starts as from a login.
void reset_signals() {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number)
        ::sigaction(number, &action, nullptr);  // SIGKILL and SIGSTOP refuse
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void set_limit(int resource, rlim_t amount) {
    struct rlimit limit {};
    if (::getrlimit(resource, &limit) != 0) return;
    limit.rlim_cur = std::min(amount, limit.rlim_max);
    limit.rlim_max = limit.rlim_cur;
    ::setrlimit(resource, &limit);
}

bool take_streams(const ChildPlan& plan) {
    return ::dup2(plan.input, STDIN_FILENO) >= 0 && ::dup2(plan.output, STDOUT_FILENO) >= 0 &&
           ::dup2(plan.log, STDERR_FILENO) >= 0;
}

[[noreturn]] void become_program(const ChildPlan& plan) {
    ::setpgid(0, 0);
    reset_signals();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != plan.parent) ::_exit(127);  // it died before the line above
    set_limit(RLIMIT_CORE, 0);
    if (plan.file_limit > 0) set_limit(RLIMIT_FSIZE, plan.file_limit);
    const bool entered = *plan.directory == '\0' || ::chdir(plan.directory) == 0;
    if (entered && take_streams(plan)) {
        ::execve(plan.program, plan.arguments.data(), plan.environment.data());
    }
    const int error_number = errno;
    [[maybe_unused]] const auto written = ::write(plan.failure, &error_number, sizeof error_number);
    ::_exit(127);
}

std::vector<std::string> environment_words(const std::map<std::string, std::string>& variables) {
    std::vector<std::string> words;
    for (const auto& [name, value] : variables)
        words.push_back(name + "=" + value);
    return words;
}

pid_t fork_program(const ChildPlan& plan) {
    const pid_t id = ::fork();
    if (id < 0) throw system_error(plan.program, "cannot start a process", errno);
    if (id == 0) become_program(plan);
    ::setpgid(id, id);  // the child does it too; whoever is first, its group is there from here on
    return id;
}

// All of the input in a file in memory: it needs no feeding, and ends by itself.
FileDescriptor input_file(const std::string& input) {
    const bool is_empty = input.empty();
    const int descriptor =
        is_empty ? ::open("/dev/null", O_RDONLY | O_CLOEXEC) : ::memfd_create("input", MFD_CLOEXEC);
    const std::string name = is_empty ? "/dev/null" : "input of the oracle";
    FileDescriptor file(descriptor, name);
    if (!file.valid()) throw system_error(name, "cannot open", errno);
    if (!is_empty) write_exactly(file, std::as_bytes(std::span(input)), 0, name);
    return file;
}

}  // namespace

StartedProcess start_process(const ProcessRequest& request) {
    std::vector<std::string> arguments = request.arguments;
    std::vector<std::string> environment = environment_words(request.environment);
    const FileDescriptor input = input_file(request.input);
    Pipe output = make_pipe();
    Pipe log = make_pipe();
    Pipe failure = make_pipe();
    never_block(output.reading);
    never_block(log.reading);
    never_block(failure.reading);

    ChildPlan plan;
    plan.parent = ::getpid();
    plan.program = request.program.c_str();
    plan.directory = request.directory.c_str();
    plan.arguments = pointers_to(arguments);
    plan.environment = pointers_to(environment);
    plan.file_limit = static_cast<rlim_t>(std::max<std::int64_t>(request.file_limit_bytes, 0));
    plan.input = input.get();
    plan.output = output.writing.get();
    plan.log = log.writing.get();
    plan.failure = failure.writing.get();

    const pid_t id = fork_program(plan);
    return {id, std::move(output.reading), std::move(log.reading), std::move(failure.reading)};
}

int start_failure(const FileDescriptor& failure) {
    int error_number = 0;
    ssize_t count = 0;
    do {
        count = ::read(failure.get(), &error_number, sizeof error_number);
    } while (count < 0 && errno == EINTR);
    return count == static_cast<ssize_t>(sizeof error_number) ? error_number : 0;
}

void keep_descriptors_private() {
    std::vector<int> descriptors;
    for (const std::string& name : list_directory("/proc/self/fd")) {
        int descriptor = -1;
        std::from_chars(name.data(), name.data() + name.size(), descriptor);
        if (descriptor > STDERR_FILENO) descriptors.push_back(descriptor);
    }
    for (const int descriptor : descriptors)  // one of them was the list itself
        ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

}  // namespace sluice::oracle
