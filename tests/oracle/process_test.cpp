#include "oracle/process.hpp"

#include "tests/support/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace sluice::oracle {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using End = ProcessOutcome::End;

// A shell here only plays the physics code.
ProcessRequest shell(const std::string& script) {
    ProcessRequest request;
    request.program = "/bin/sh";
    request.arguments = {"sh", "-c", script};
    request.environment = clean_environment({}, {});
    request.time_limit_seconds = 20;
    return request;
}

ProcessOutcome run(const ProcessRequest& request) {
    ProcessPool pool;
    Process process(pool, request);
    while (!process.finished())
        pool.wait(milliseconds(1000));
    return process.outcome();
}

bool wait_until(const std::function<bool()>& condition) {
    for (int i = 0; i < 500; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
}

bool is_alive(pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string line;
    std::getline(file, line);
    const std::size_t name_end = line.rfind(')');
    return name_end != std::string::npos && line.compare(name_end + 2, 1, "Z") != 0;
}

bool has_children() {
    return ::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD;
}

TEST(Process, tells_exit_code_streams_and_costs) {
    const ProcessOutcome outcome = run(shell("echo label; echo words >&2; exit 7"));
    EXPECT_EQ(outcome.end, End::exited);
    EXPECT_EQ(outcome.exit_code, 7);
    EXPECT_EQ(outcome.output, "label\n");
    EXPECT_EQ(outcome.log, "words\n");
    EXPECT_GT(outcome.wall_seconds, 0.0);
    EXPECT_GT(outcome.peak_memory_kib, 100);
    EXPECT_NEAR(outcome.started, static_cast<double>(std::time(nullptr)), 5.0);
    EXPECT_FALSE(has_children());
}

TEST(Process, tells_the_signal_that_killed_it) {
    const ProcessOutcome outcome = run(shell("kill -SEGV $$"));
    EXPECT_EQ(outcome.end, End::signalled);
    EXPECT_EQ(outcome.signal, SIGSEGV);
}

TEST(Process, measures_cpu_time) {
    const ProcessOutcome outcome = run(shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"));
    EXPECT_GT(outcome.cpu_seconds, 0.01);
}

TEST(Process, names_a_program_that_cannot_start) {
    ProcessRequest request = shell("");
    request.program = "/nowhere/oracle";
    const ProcessOutcome outcome = run(request);
    EXPECT_EQ(outcome.end, End::not_started);
    EXPECT_EQ(outcome.start_error, "/nowhere/oracle: No such file or directory");
    EXPECT_FALSE(has_children());
}

TEST(Process, a_text_file_is_no_program_and_no_shell_guesses) {
    test::TemporaryDirectory directory;
    const std::string path = directory.file("oracle");
    std::ofstream(path) << "touch " << directory.file("touched") << "\n";
    ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
    ProcessRequest request = shell("");
    request.program = path;
    request.arguments = {path};
    EXPECT_THAT(run(request).start_error, HasSubstr("Exec format error"));
    EXPECT_NE(::access(directory.file("touched").c_str(), F_OK), 0);
}

TEST(Process, words_stay_words) {
    ProcessRequest request = shell("");
    request.program = "/bin/echo";
    request.arguments = {"echo", "$(id) `id` ; id", "a\nb", "--x"};
    EXPECT_EQ(run(request).output, "$(id) `id` ; id a\nb --x\n");
}

TEST(Process, runs_in_its_directory) {
    test::TemporaryDirectory directory;
    ProcessRequest request = shell("pwd -P");
    request.directory = directory.path();
    EXPECT_EQ(run(request).output, std::filesystem::canonical(directory.path()).string() + "\n");
    request.directory = directory.file("absent");
    EXPECT_EQ(run(request).end, End::not_started);
}

TEST(Process, takes_a_mebibyte_of_input_while_it_writes_as_much) {
    ProcessRequest request = shell("cat");
    for (int i = 0; i < 1 << 17; ++i)
        request.input += "line 1" + std::to_string(i % 10) + "\n";
    EXPECT_EQ(request.input.size(), std::size_t{1} << 20);
    EXPECT_TRUE(run(request).output == request.input);
}

TEST(Process, input_that_nobody_reads_harms_nothing) {
    ProcessRequest request = shell("exec 0<&-; sleep 0.1; echo done");
    request.input = std::string(std::size_t{1} << 20, 'x');
    EXPECT_EQ(run(request).output, "done\n");
}

TEST(Process, without_input_stdin_is_empty) {
    EXPECT_EQ(run(shell("cat; echo end")).output, "end\n");
}

TEST(Process, a_time_limit_ends_the_whole_group) {
    test::TemporaryDirectory directory;
    ProcessRequest request = shell("sleep 60 & echo $! > grandchild; wait");
    request.directory = directory.path();
    request.time_limit_seconds = 0.3;
    const ProcessOutcome outcome = run(request);
    EXPECT_EQ(outcome.end, End::timed_out);
    EXPECT_LT(outcome.wall_seconds, 1.5);
    pid_t grandchild = 0;
    std::ifstream(directory.file("grandchild")) >> grandchild;
    ASSERT_GT(grandchild, 0);
    EXPECT_TRUE(wait_until([&] { return !is_alive(grandchild); }));
}

TEST(Process, one_that_ignores_SIGTERM_is_killed_two_seconds_later) {
    ProcessRequest request = shell("trap '' TERM; while :; do sleep 0.05; done");
    request.time_limit_seconds = 0.2;
    const ProcessOutcome outcome = run(request);
    EXPECT_EQ(outcome.end, End::timed_out);
    EXPECT_EQ(outcome.signal, SIGKILL);
    EXPECT_NEAR(outcome.wall_seconds, 2.2, 0.5);
}

TEST(Process, a_grandchild_that_holds_the_pipe_delays_nothing) {
    const ProcessOutcome outcome = run(shell("echo label; sleep 60 & exit 0"));
    EXPECT_EQ(outcome.end, End::exited);
    EXPECT_EQ(outcome.output, "label\n");
    EXPECT_LT(outcome.wall_seconds, 2.0);
}

TEST(Process, endless_output_is_capped) {
    for (const std::string script : {"exec yes", "exec yes >&2", "exec cat /dev/zero"}) {
        ProcessRequest request = shell(script);
        request.output_limit_bytes = request.log_limit_bytes = 300'000;
        const ProcessOutcome outcome = run(request);
        EXPECT_EQ(outcome.end, End::log_limit) << script;
        EXPECT_EQ(std::max(outcome.output.size(), outcome.log.size()), 300'000U) << script;
        EXPECT_LT(outcome.wall_seconds, 5.0) << script;
    }
}

TEST(Process, files_are_capped) {
    test::TemporaryDirectory directory;
    ProcessRequest request = shell("exec dd if=/dev/zero of=big bs=1000 count=1000");
    request.directory = directory.path();
    request.file_limit_bytes = 100'000;
    EXPECT_EQ(run(request).signal, SIGXFSZ);
    EXPECT_EQ(std::filesystem::file_size(directory.file("big")), 100'000U);
}

TEST(Process, starts_with_default_signals_and_no_descriptors_of_ours) {
    ::signal(SIGTERM, SIG_IGN);
    const int inherited = ::open("/dev/null", O_RDONLY);  // not close-on-exec
    const ProcessOutcome outcome =
        run(shell("grep -E '^Sig(Ign|Blk)' /proc/self/status; ls /proc/self/fd | wc -l"));
    ::close(inherited);
    ::signal(SIGTERM, SIG_DFL);
    std::istringstream lines(outcome.output);
    std::string name;
    std::string mask;
    for (int i = 0; i < 2; ++i) {
        lines >> name >> mask;
        EXPECT_EQ(mask, "0000000000000000") << name;
    }
    int descriptors = 0;  // 0, 1, 2 and the list itself
    lines >> descriptors;
    EXPECT_EQ(descriptors, 4);
}

TEST(Process, can_be_stopped) {
    ProcessPool pool;
    Process process(pool, shell("sleep 60"));
    pool.wait(milliseconds(50));
    EXPECT_FALSE(process.finished());
    EXPECT_GT(process.running_seconds(), 0.04);
    process.stop();
    pool.wait(milliseconds(5000));
    ASSERT_TRUE(process.finished());
    EXPECT_EQ(process.outcome().end, End::stopped);
    EXPECT_LT(process.outcome().wall_seconds, 2.0);
}

TEST(Process, what_is_dropped_is_killed_and_leaves_no_zombie) {
    ProcessPool pool;
    {
        Process first(pool, shell("trap '' TERM; sleep 60"));
        Process second(pool, shell("sleep 60"));
        EXPECT_TRUE(has_children());
    }
    EXPECT_FALSE(has_children());
}

TEST(Process, many_run_side_by_side_and_each_end_wakes_the_pool) {
    ProcessPool pool;
    std::vector<std::unique_ptr<Process>> processes;
    for (int i = 0; i < 20; ++i) {
        processes.push_back(
            std::make_unique<Process>(pool, shell("sleep 0.2; exit " + std::to_string(i))));
    }
    const auto all_finished = [&] {
        return std::all_of(processes.begin(), processes.end(),
                           [](const auto& process) { return process->finished(); });
    };
    int waits = 0;
    for (; !all_finished() && waits < 100; ++waits)
        pool.wait(milliseconds(10'000));
    ASSERT_TRUE(all_finished());
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(processes[static_cast<std::size_t>(i)]->outcome().exit_code, i);
    EXPECT_LT(processes[0]->outcome().wall_seconds, 5.0);
    EXPECT_FALSE(has_children());
}

extern "C" void note_nothing(int) {}

TEST(Process, a_signal_to_this_process_ends_the_wait) {
    struct sigaction action {};
    action.sa_handler = note_nothing;
    action.sa_flags = SA_RESTART;
    struct sigaction before {};
    ::sigaction(SIGUSR1, &action, &before);
    ProcessPool pool;
    Process process(pool, shell("sleep 60"));
    Process sender(pool, shell("sleep 0.2; kill -USR1 $PPID; exec sleep 60"));
    const auto started = std::chrono::steady_clock::now();
    pool.wait(milliseconds(10'000));
    EXPECT_LT(std::chrono::steady_clock::now() - started, milliseconds(5000));
    EXPECT_FALSE(process.finished());
    ::sigaction(SIGUSR1, &before, nullptr);
}

// A worker that is killed outright leaves no oracle behind.
TEST(Process, dies_with_this_process) {
    test::TemporaryDirectory directory;
    const pid_t worker = ::fork();
    if (worker == 0) {
        ProcessPool pool;
        ProcessRequest request = shell("echo $$ > number; exec sleep 60");
        request.directory = directory.path();
        Process process(pool, request);
        for (;;)
            pool.wait(milliseconds(1000));
    }
    pid_t oracle = 0;
    ASSERT_TRUE(wait_until([&] {
        std::ifstream(directory.file("number")) >> oracle;
        return oracle > 0;
    }));
    EXPECT_TRUE(is_alive(oracle));
    ::kill(worker, SIGKILL);
    ::waitpid(worker, nullptr, 0);
    EXPECT_TRUE(wait_until([&] { return !is_alive(oracle); }));
}

TEST(CleanEnvironment, passes_the_usual_names_and_nothing_of_mpi) {
    ::setenv("OMPI_COMM_WORLD_RANK", "0", 1);
    ::setenv("PMIX_RANK", "0", 1);
    ::setenv("SLURM_JOB_ID", "1", 1);
    ::setenv("MY_LICENSE", "x", 1);
    ::setenv("HOME", "/home/x", 1);
    const auto environment =
        clean_environment({"MY_LICENSE", "NOT_SET"}, {{"OMP_NUM_THREADS", "4"}, {"NEW", "y"}});
    EXPECT_EQ(environment.count("OMPI_COMM_WORLD_RANK"), 0U);
    EXPECT_EQ(environment.count("PMIX_RANK"), 0U);
    EXPECT_EQ(environment.count("SLURM_JOB_ID"), 0U);
    EXPECT_EQ(environment.count("NOT_SET"), 0U);
    EXPECT_EQ(environment.at("MY_LICENSE"), "x");
    EXPECT_EQ(environment.at("HOME"), "/home/x");
    EXPECT_EQ(environment.at("OMP_NUM_THREADS"), "4");
    EXPECT_EQ(environment.at("NEW"), "y");
    EXPECT_EQ(clean_environment({}, {}).at("OMP_NUM_THREADS"), "1");
}

TEST(CleanEnvironment, is_all_the_oracle_gets) {
    ProcessRequest request = shell("");
    request.program = "/usr/bin/env";
    request.arguments = {"env"};
    request.environment = {{"ONLY", "this"}};
    EXPECT_EQ(run(request).output, "ONLY=this\n");
}

}  // namespace
}  // namespace sluice::oracle
