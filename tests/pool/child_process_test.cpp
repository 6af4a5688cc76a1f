#include "pool/child_process.hpp"

#include "core/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>
#include <thread>
#include <vector>

namespace sluice::pool {
namespace {

using testing::HasSubstr;

std::string message_of(const std::function<std::string()>& work, ExitCode code) {
    try {
        run_in_child("pool.h5", work);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), code);
        return error.what();
    }
    ADD_FAILURE() << "no error";
    return {};
}

TEST(ChildProcess, brings_any_bytes_of_any_size) {
    const std::string large(std::size_t{3} << 20, '\0');
    EXPECT_EQ(run_in_child("pool.h5", [&] { return large; }), large);
    EXPECT_EQ(run_in_child("pool.h5", [] { return std::string(); }), "");
}

TEST(ChildProcess, errors_keep_code_and_message) {
    EXPECT_EQ(message_of([]() -> std::string { throw Error(ExitCode::no_input, "a: b; c"); },
                         ExitCode::no_input),
              "a: b; c");
}

TEST(ChildProcess, a_crash_is_a_damaged_file) {
    EXPECT_EQ(message_of(
                  []() -> std::string {
                      std::raise(SIGSEGV);
                      return {};
                  },
                  ExitCode::bad_data),
              "pool.h5: the HDF5 library failed on this file (signal 11); the file is damaged, "
              "copy or make it again");
}

TEST(ChildProcess, a_hang_is_ended_by_the_alarm) {
    EXPECT_THAT(message_of(
                    []() -> std::string {
                        ::alarm(1);  // sooner than the 60 s a file is given
                        for (;;)
                            ::pause();
                    },
                    ExitCode::bad_data),
                HasSubstr("failed on this file (no answer within 60 s)"));
}

TEST(ChildProcess, memory_is_limited) {
#if defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "AddressSanitizer ends the process instead of throwing std::bad_alloc";
#endif
    EXPECT_THAT(message_of(
                    []() -> std::string {
                        const std::vector<char> huge(std::size_t{3} << 30);
                        return std::to_string(huge.size());
                    },
                    ExitCode::bad_data),
                HasSubstr("takes more memory than 2 GiB"));
}

TEST(ChildProcess, may_be_called_by_several_threads) {
    std::vector<std::thread> threads;
    std::vector<std::string> results(4);
    for (std::size_t i = 0; i < results.size(); ++i) {
        threads.emplace_back(
            [&, i] { results[i] = run_in_child("pool.h5", [i] { return std::to_string(i); }); });
    }
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(results, (std::vector<std::string>{"0", "1", "2", "3"}));
}

}  // namespace
}  // namespace sluice::pool
