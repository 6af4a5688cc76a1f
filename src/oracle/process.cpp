#include "oracle/process.hpp"

#include "core/error.hpp"
#include "oracle/process_start.hpp"

#include <poll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace sluice::oracle {
namespace {

using Clock = std::chrono::steady_clock;
using End = ProcessOutcome::End;

constexpr std::chrono::seconds time_to_obey{2};  // between SIGTERM and SIGKILL

double seconds_since_1970() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

Clock::duration duration_of(double seconds) {
    constexpr double forever = 3.0e9;  // what the clock can hold, and a human life
    return std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(std::min(seconds, forever)));
}

// SIGCHLD may go to any thread that does not block it, such as those that MPI starts, and is lost
// there; this tells of the end as well.
FileDescriptor life_of(pid_t id) {
#ifdef SYS_pidfd_open
    return FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, id, 0)),
                          "the end of a process");
#else
    return FileDescriptor();
#endif
}

}  // namespace

struct ProcessPool::State {
    FileDescriptor child_signals;
    sigset_t old_mask{};
    std::vector<Process::State*> running;
    bool one_ended = false;

    bool serve(Clock::time_point until);
};

struct Process::State {
    ProcessPool::State& pool;
    ProcessRequest request;
    StartedProcess child = {};
    FileDescriptor life = {};  ///< readable once the child has ended; none on old kernels
    ProcessOutcome outcome = {};
    Clock::time_point started = Clock::now();
    std::optional<Clock::time_point> kill_time = {};  ///< of SIGKILL, once told to end
    std::optional<End> ended_for = {};                ///< why this process ended it
    bool finished = false;

    void read_stream(FileDescriptor& stream, std::string& text, std::int64_t limit);
    void read_streams();
    void end(End why);
    void kill_overdue(Clock::time_point now);
    void look_for_end();
    void reap();
    Clock::time_point next_deadline() const;
};

void Process::State::read_stream(FileDescriptor& stream, std::string& text, std::int64_t limit) {
    std::array<char, std::size_t{1} << 16> buffer;
    while (stream.valid()) {
        const ssize_t count = ::read(stream.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) {
            stream = FileDescriptor();
            return;
        }
        text.append(buffer.data(), static_cast<std::size_t>(count));
        if (std::ssize(text) <= limit) continue;
        text.resize(static_cast<std::size_t>(limit));
        stream = FileDescriptor();
        end(End::log_limit);
    }
}

void Process::State::read_streams() {
    read_stream(child.output, outcome.output, request.output_limit_bytes);
    read_stream(child.log, outcome.log, request.log_limit_bytes);
}

void Process::State::end(End why) {
    if (ended_for) return;
    ended_for = why;
    kill_time = Clock::now() + time_to_obey;
    ::kill(-child.id, SIGTERM);
}

void Process::State::kill_overdue(Clock::time_point now) {
    const double limit = request.time_limit_seconds;
    if (limit > 0 && now >= started + duration_of(limit)) end(End::timed_out);
    if (!kill_time || now < *kill_time) return;
    ::kill(-child.id, SIGKILL);
    kill_time = now + time_to_obey;
}

Clock::time_point Process::State::next_deadline() const {
    if (kill_time) return *kill_time;
    const double limit = request.time_limit_seconds;
    return limit > 0 ? started + duration_of(limit) : Clock::time_point::max();
}

// The dead child stays a zombie until its group is killed: as long as it is there, no other group
// can get its number.
void Process::State::look_for_end() {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(child.id), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0) {
        return;
    }
    read_streams();
    reap();
}

// What may still run in the group is killed; a pipe it holds open delays nothing.
void Process::State::reap() {
    ::kill(-child.id, SIGKILL);
    int status = 0;
    struct rusage usage {};
    while (::wait4(child.id, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    outcome.end = ended_for.value_or(WIFSIGNALED(status) ? End::signalled : End::exited);
    if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
    if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
    if (const int error_number = start_failure(child.failure)) {
        outcome.end = End::not_started;
        outcome.start_error = request.program + ": " + std::strerror(error_number);
    }
    outcome.wall_seconds = std::chrono::duration<double>(Clock::now() - started).count();
    outcome.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    outcome.peak_memory_kib = usage.ru_maxrss;
    child = StartedProcess();
    life = FileDescriptor();
    finished = true;
    pool.one_ended = true;
    std::erase(pool.running, this);
}

Process::Process(ProcessPool& pool, ProcessRequest request)
    : state_(new State{*pool.state_, std::move(request)}) {
    state_->outcome.started = seconds_since_1970();
    state_->child = start_process(state_->request);
    state_->life = life_of(state_->child.id);
    pool.state_->running.push_back(state_.get());
}

Process::~Process() {
    if (!state_->finished) state_->reap();
}

bool Process::finished() const {
    return state_->finished;
}

const ProcessOutcome& Process::outcome() const {
    require(state_->finished, ExitCode::internal, "the outcome of a process that still runs");
    return state_->outcome;
}

double Process::running_seconds() const {
    if (state_->finished) return state_->outcome.wall_seconds;
    return std::chrono::duration<double>(Clock::now() - state_->started).count();
}

void Process::stop() {
    if (!state_->finished) state_->end(End::stopped);
}

// False when a signal interrupted it.
bool ProcessPool::State::serve(Clock::time_point until) {
    std::vector<pollfd> watched = {{child_signals.get(), POLLIN, 0}};
    for (const Process::State* process : running) {
        until = std::min(until, process->next_deadline());
        // poll() ignores descriptors below 0
        watched.push_back({process->child.output.get(), POLLIN, 0});
        watched.push_back({process->child.log.get(), POLLIN, 0});
        watched.push_back({process->life.get(), POLLIN, 0});
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    const auto timeout = std::clamp<std::int64_t>(left.count(), 0, 60'000);
    const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(timeout));
    if (ready < 0 && errno != EINTR) throw system_error("poll", "cannot wait for oracles", errno);

    signalfd_siginfo information{};
    while (::read(child_signals.get(), &information, sizeof information) > 0) {
    }
    const auto processes = running;  // those that end leave the list
    for (Process::State* process : processes) {
        process->read_streams();
        process->kill_overdue(Clock::now());
        process->look_for_end();
    }
    return ready >= 0;
}

ProcessPool::ProcessPool() : state_(std::make_unique<State>()) {
    keep_descriptors_private();
    ::signal(SIGCHLD, SIG_DFL);  // if it were ignored there would be no exit codes
    sigset_t mask;
    ::sigemptyset(&mask);
    ::sigaddset(&mask, SIGCHLD);
    if (::sigprocmask(SIG_BLOCK, &mask, &state_->old_mask) != 0) {
        throw system_error("sigprocmask", "cannot block SIGCHLD", errno);
    }
    state_->child_signals = {::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd"};
    if (!state_->child_signals.valid()) {
        throw system_error("signalfd", "cannot wait for child processes", errno);
    }
}

ProcessPool::~ProcessPool() {
    ::sigprocmask(SIG_SETMASK, &state_->old_mask, nullptr);
}

void ProcessPool::wait(std::chrono::milliseconds limit) {
    const Clock::time_point until = Clock::now() + limit;
    while (!state_->one_ended && state_->serve(until) && Clock::now() < until) {
    }
    state_->one_ended = false;
}

}  // namespace sluice::oracle
