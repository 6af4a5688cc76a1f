#include "core/temporary_name.hpp"

#include "core/durable_file.hpp"
#include "core/process_place.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

namespace sluice {
namespace {

// The number of a process that was this one's child and is gone.
pid_t gone_process() {
    const pid_t id = ::fork();
    if (id == 0) ::_exit(0);
    ::waitpid(id, nullptr, 0);
    return id;
}

TEST(RemoveTemporaries, takes_only_those_of_processes_that_are_gone) {
    const test::TemporaryDirectory directory;
    const std::string ours = directory.file(temporary_name());
    const std::string gone = std::to_string(gone_process());
    const std::string left =
        directory.file(".sluice-node." + gone + ".00ff." + process_place() + ".tmp");
    const std::string elsewhere = directory.file(".sluice-node." + gone + ".00ff.01234567.tmp");
    const std::string other = directory.file(".sluice-node." + gone + ".tmp");
    for (const std::string& path : {ours, left, elsewhere, other})
        create_text_file(path, "half a fi");

    remove_temporaries(directory.path());

    EXPECT_TRUE(std::filesystem::exists(ours));
    EXPECT_FALSE(std::filesystem::exists(left));
    EXPECT_TRUE(std::filesystem::exists(elsewhere));
    EXPECT_TRUE(std::filesystem::exists(other));
    remove_temporaries(directory.file("no such directory"));
}

TEST(TemporaryName, is_new_on_every_call) {
    EXPECT_NE(temporary_name(), temporary_name());
}

}  // namespace
}  // namespace sluice
