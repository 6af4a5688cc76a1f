#include "oracle/spec.hpp"

#include "tests/oracle/spec_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace sluice::oracle {
namespace {

using queue::ItemStatus;
using test::expect_error;
using test::full;
using test::minimal;
using test::SpecTest;
using test::TemporaryDirectory;
using ::testing::ElementsAre;
using ::testing::Pair;

TEST_F(SpecTest, reads_all_of_a_file) {
    const Spec spec = read_full();
    EXPECT_EQ(spec.path, ini());
    EXPECT_EQ(spec.name, "water-dimer");
    EXPECT_EQ(spec.version, "xtb 6.5.1, GFN2");
    ASSERT_EQ(spec.command.size(), 5U);
    EXPECT_EQ(spec.command[4].text(), "{{id}}");
    EXPECT_EQ(spec.mode, Spec::Mode::item);
    EXPECT_EQ(spec.time_limit_seconds, 60.0);
    EXPECT_EQ(spec.start_limit_seconds, 5.0);
    EXPECT_EQ(spec.log_limit_bytes, 524'288);
    EXPECT_EQ(spec.file_limit_bytes, 10'485'760);
    EXPECT_THAT(spec.passed_environment, ElementsAre("XTBPATH", "OMP_STACKSIZE"));
    EXPECT_THAT(spec.tags, ElementsAre("gpu", "big"));
    EXPECT_EQ(spec.breaker, 3);
    EXPECT_FALSE(spec.is_class);
    EXPECT_THAT(spec.environment, ElementsAre(Pair("OMP_NUM_THREADS", "1")));
    EXPECT_THAT(spec.retries,
                ElementsAre(Pair(ItemStatus::timeout, 0), Pair(ItemStatus::oracle_error, 1)));
    EXPECT_THAT(spec.test_inputs, ElementsAre(Pair("R", 2.6), Pair("a", 0.0)));
    EXPECT_THAT(spec.test_labels, ElementsAre(Pair("energy", -10.146)));
    EXPECT_EQ(spec.test_tolerance, 1e-4);
}

TEST_F(SpecTest, reads_files_labels_and_checks) {
    const Spec spec = read_full();
    ASSERT_EQ(spec.files.size(), 2U);
    EXPECT_EQ(spec.files[0].name, "geometry.xyz");
    EXPECT_EQ(spec.files[0].source, directory_.file("geometry.xyz.in"));
    ASSERT_TRUE(spec.files[0].rendered.has_value());
    EXPECT_EQ(spec.files[0].rendered->render({0, 0, "", {"R"}, {2.6}}), "O 2.60000000\n");
    EXPECT_FALSE(spec.files[1].rendered.has_value());
    EXPECT_EQ(spec.files[1].text, "{{not a placeholder}}");
    ASSERT_EQ(spec.labels.size(), 2U);
    EXPECT_EQ(spec.labels[0].name, "energy");
    EXPECT_EQ(spec.labels[0].unit, "Eh");
    EXPECT_EQ(spec.labels[0].file, "stdout");
    EXPECT_EQ(spec.labels[0].pattern, "TOTAL ENERGY\\s+(\\S+)");
    EXPECT_TRUE(spec.labels[0].first);
    EXPECT_EQ(spec.labels[0].min, -11.0);
    EXPECT_EQ(spec.labels[0].max, -9.0);
    EXPECT_EQ(spec.labels[1].file, "");
    EXPECT_FALSE(spec.labels[1].min.has_value());
    ASSERT_EQ(spec.checks.size(), 2U);
    EXPECT_EQ(spec.checks[0].name, "normal end");
    EXPECT_EQ(spec.checks[0].kind, CheckRule::Kind::required);
    EXPECT_EQ(spec.checks[0].status, ItemStatus::nonconverged);
    EXPECT_EQ(spec.checks[1].file, "out/CRASH");
    EXPECT_EQ(spec.checks[1].kind, CheckRule::Kind::forbidden);
    EXPECT_EQ(spec.checks[1].status, ItemStatus::oracle_error);
}

TEST_F(SpecTest, defaults) {
    const Spec spec = read(minimal);
    EXPECT_EQ(spec.mode, Spec::Mode::item);
    EXPECT_EQ(spec.time_limit_seconds, 3600.0);
    EXPECT_EQ(spec.start_limit_seconds, 60.0);
    EXPECT_EQ(spec.log_limit_bytes, 1 << 20);
    EXPECT_EQ(spec.file_limit_bytes, std::int64_t{1} << 30);
    EXPECT_EQ(spec.breaker, 10);
    EXPECT_TRUE(spec.labels.empty() && spec.retries.empty() && spec.tags.empty());
}

TEST_F(SpecTest, the_hash_covers_what_can_change_a_label) {
    const std::string hash = read_full().hash;
    EXPECT_THAT(hash, ::testing::MatchesRegex("[0-9a-f]{16}"));
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"water-dimer", "dimer"},
             {"GFN2", "GFN1"},
             {"--gfn 2", "--gfn 1"},
             {"--gfn 2", "--gfn2"},
             {"[label energy]\nfile = stdout", "[label energy]\nfile = stderr"},
             {"TOTAL ENERGY", "TOTAL  ENERGY"},
             {"match = first", "match = last"},
             {"unit = Eh", "unit = eV"},
             {"min = -11", "min = -12"},
             {"max = -9\n", ""},
             {"[label gap]\n", ""},
             {"required = normal", "forbidden = normal"},
             {"status = nonconverged", "status = invalid"},
             {"OMP_NUM_THREADS = 1", "OMP_NUM_THREADS = 2"},
             {"[template geometry.xyz]", "[file geometry.xyz]"},
             {"[file params.dat]", "[file params.txt]"}}) {
        EXPECT_NE(hash_with(from, to), hash) << from;
    }
    write("params.dat", "{{not a placeholder}} ");
    EXPECT_NE(read(full).hash, hash);
}

TEST_F(SpecTest, the_hash_ignores_paths_limits_and_tags) {
    const std::string hash = read_full().hash;
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"time_limit = 60", "time_limit = 61"},
             {"start_limit = 5", "start_limit = 6"},
             {"log_limit = 0.5", "log_limit = 1"},
             {"file_limit = 10", "file_limit = 11"},
             {"tags = gpu big\n", ""},
             {"breaker = 3", "breaker = 4"},
             {"pass_environment = XTBPATH OMP_STACKSIZE\n", ""},
             {"oracle_error = 1", "oracle_error = 2"},
             {"R = 2.6", "R = 2.7"},
             {" ; a comment", ""}}) {
        EXPECT_EQ(hash_with(from, to), hash) << from;
    }
    const TemporaryDirectory elsewhere;
    std::filesystem::copy(directory_.path(), elsewhere.path());
    std::ofstream(elsewhere.file("oracle.ini")) << full;
    EXPECT_EQ(read_spec(elsewhere.file("oracle.ini")).hash, hash);
}

TEST_F(SpecTest, the_oracle_directory_in_the_command) {
    const std::string command = "[oracle]\nname = x\ncommand = python3 {{oracle_dir}}/run.py\n";
    const Spec spec = read(command);
    EXPECT_EQ(spec.command[1].render({}), directory_.path() + "/run.py");
    const TemporaryDirectory elsewhere;
    std::ofstream(elsewhere.file("oracle.ini")) << command;
    EXPECT_EQ(read_spec(elsewhere.file("oracle.ini")).hash, spec.hash);
}

TEST_F(SpecTest, placeholders_are_checked_against_an_item) {
    const Spec spec = read_full();
    check_placeholders(spec, {0, 0, "", {"R", "a"}, {1.0, 2.0}});
    expect_error(
        [&] {
            check_placeholders(spec, {0, 0, "", {"r", "a"}, {1.0, 2.0}});
        },
        ExitCode::bad_config,
        directory_.file("geometry.xyz.in") +
            ":1:3: {{R}}: no input of the pool has this name; did you mean 'r'?");
    expect_error(
        [&] {
            check_placeholders(spec, {0, 0, "", {"distance"}, {1.0}});
        },
        ExitCode::bad_config,
        directory_.file("geometry.xyz.in") +
            ":1:3: {{R}}: no input of the pool has this name; did you mean 'id'?");
    const Spec other = read("[oracle]\nname = x\ncommand = a --x={{radius}}\n");
    expect_error(
        [&] {
            check_placeholders(other, {0, 0, "", {}, {1.0}});
        },
        ExitCode::bad_config,
        ini() +
            ":3:17: {{radius}}: no input of the pool has this name; known are x0, "
            "item, row, id, seed");
}

class FindProgram : public SpecTest {
  protected:
    void SetUp() override {
        const char* path = std::getenv("PATH");
        path_ = path == nullptr ? "" : path;
        std::filesystem::create_directories(directory_.file("bin/sub"));
        ::setenv("PATH", (directory_.file("empty") + ":" + directory_.file("bin")).c_str(), 1);
        make("bin/code", 0755);
        make("bin/data", 0644);
        make("local", 0755);
    }
    void TearDown() override { ::setenv("PATH", path_.c_str(), 1); }

    void make(const std::string& name, mode_t mode) const {
        write(name, "#!/bin/sh\n");
        ASSERT_EQ(::chmod(directory_.file(name).c_str(), mode), 0);
    }

    std::string find(const std::string& program) const {
        return find_program(read("[oracle]\nname = x\ncommand = " + program + " a\n"));
    }

    std::string path_;
};

TEST_F(FindProgram, on_path_and_beside_the_oracle_file) {
    EXPECT_EQ(find("code"), directory_.file("bin/code"));
    EXPECT_EQ(find("./local"), directory_.file("local"));
    EXPECT_EQ(find("bin/code"), directory_.file("bin/code"));
    EXPECT_EQ(find("/bin/sh"), "/bin/sh");
    EXPECT_EQ(find("{{oracle_dir}}/local"), directory_.file("local"));
}

TEST_F(FindProgram, missing_ones_are_named) {
    expect_error([&] { find("xtb"); }, ExitCode::unavailable,
                 ini() + ":3:11: xtb: no such program on PATH; install it or correct 'command'");
    expect_error([&] { find("sub"); }, ExitCode::unavailable,
                 ini() + ":3:11: sub: no such program on PATH; install it or correct 'command'");
    expect_error([&] { find("./gone"); }, ExitCode::unavailable,
                 ini() + ":3:11: ./gone: no such program; install it or correct 'command'");
    expect_error([&] { find("data"); }, ExitCode::unavailable,
                 ini() + ":3:11: " + directory_.file("bin/data") +
                     ": not executable; chmod +x it, or name its interpreter first");
}

}  // namespace
}  // namespace sluice::oracle
