#include "oracle/spec.hpp"

#include "tests/support/expect_exact_error.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace sluice::oracle {
namespace {

using queue::ItemStatus;
using test::expect_error;
using ::testing::ElementsAre;
using ::testing::Pair;

const std::string minimal = "[oracle]\nname = x\ncommand = true\n";

const std::string full = R"([oracle]
name = water-dimer
version = xtb 6.5.1, GFN2
command = xtb geometry.xyz --gfn 2 '{{id}}' ; a comment
mode = item
time_limit = 60
start_limit = 5
log_limit = 0.5
file_limit = 10
pass_environment = XTBPATH OMP_STACKSIZE
tags = gpu big
breaker = 3
label_is_class = no
[template geometry.xyz]
source = geometry.xyz.in
[file params.dat]
source = params.dat
[label energy]
file = stdout
pattern = TOTAL ENERGY\s+(\S+)
match = first
unit = Eh
min = -11
max = -9
[label gap]
[check normal end]
file = stderr
required = normal termination
status = nonconverged
[check crash]
file = out/CRASH
forbidden = .
[environment]
OMP_NUM_THREADS = 1
[retry]
oracle_error = 1
timeout = 0
[test]
R = 2.6
a = 0
expect energy = -10.14600
tolerance = 1e-4
)";

class SpecTest : public ::testing::Test {
  protected:
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(directory_.file(name), std::ios::binary) << text;
    }

    std::string ini() const { return directory_.file("oracle.ini"); }

    Spec read(const std::string& text) const {
        write("oracle.ini", text);
        return read_spec(ini());
    }

    Spec read_full() const {
        write("geometry.xyz.in", "O {{R:.8f}}\n");
        write("params.dat", "{{not a placeholder}}");
        return read(full);
    }

    // `message` without the path in front of `:LINE:COLUMN`.
    void expect_bad(const std::string& text, const std::string& message,
                    ExitCode code = ExitCode::bad_config) const {
        expect_error([&] { read(text); }, code, ini() + message);
    }

    std::string hash_with(const std::string& from, const std::string& to) const {
        read_full();
        std::string text = full;
        text.replace(text.find(from), from.size(), to);
        return read(text).hash;
    }

    test::TemporaryDirectory directory_;
};

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

TEST_F(SpecTest, unknown_sections_and_keys_name_the_nearest) {
    expect_bad(minimal + "[lable energy]\n",
               ":4:1: [lable]: unknown section; did you mean 'label'?");
    expect_bad(minimal + "[nothing alike]\n",
               ":4:1: [nothing]: unknown section; known are oracle, template, file, label, check, "
               "environment, retry, test");
    expect_bad(minimal + "time_limt = 3\n",
               ":4:1: time_limt: unknown key; did you mean "
               "'time_limit'?");
    expect_bad(minimal + "[label e]\n  units = Eh\n",
               ":5:3: units: unknown key; did you mean 'unit'?");
    expect_bad(minimal + "[retry]\ntimeuot = 1\n",
               ":5:1: timeuot: unknown key; did you mean 'timeout'?");
    expect_bad(minimal + "[retry]\nok = 1\n",
               ":5:1: ok: unknown key; known are nonconverged, invalid, timeout, oracle_error");
    expect_bad(minimal + "[file a]\nsuorce = b\n",
               ":5:1: suorce: unknown key; did you mean 'source'?");
    expect_bad(minimal + "[check a]\nforbiden = b\n",
               ":5:1: forbiden: unknown key; did you mean 'forbidden'?");
}

TEST_F(SpecTest, section_titles) {
    expect_bad("a = 1\n" + minimal,
               ":1:1: a: stands before the first section; begin the file with "
               "[oracle]");
    expect_bad("",
               ":1:1: no [oracle] section; begin the file with one that has 'name' and "
               "'command'");
    expect_bad(minimal + "[label]\n", ":4:1: [label]: its name is missing; write [label NAME]");
    expect_bad(minimal + "[test a]\n", ":4:1: [test a]: takes no name; write [test]");
    expect_bad(minimal + "[label a]\n[label  a]\n",
               ":5:1: [label  a]: given before on line 4; keep one of the two");
    expect_bad(minimal + minimal, ":4:1: [oracle]: given before on line 1; keep one of the two");
    expect_bad(minimal + "name = y\n", ":4:1: name: given before on line 2; keep one of the two");
    expect_bad(minimal + "[label a]\nmin = 1\nmin = 2\n",
               ":6:1: min: given before on line 5; keep one of the two");
    expect_bad(minimal + "tags =\n",
               ":4:1: tags: its value is missing; give one or remove the "
               "line");
    expect_bad("[oracle]\nname = x\n",
               ":1:1: 'command' is missing; name the program and its "
               "arguments");
    expect_bad("[oracle]\ncommand = x\n",
               ":1:1: 'name' is missing; name the oracle, as in name = water-dimer");
}

TEST_F(SpecTest, wrong_values) {
    expect_bad("[oracle]\nname = ../x\ncommand = true\n",
               ":2:8: name: not a plain name (../x); write letters, digits, '-', '_' and '.', not "
               "beginning with a dot");
    expect_bad(minimal + "mode = jsonk\n",
               ":4:8: mode: unknown value (jsonk); did you mean 'jsonl'?");
    expect_bad(minimal + "time_limit = 1,5\n",
               ":4:14: time_limit: not a number (1,5); write one like 0.5 or 1e-3");
    expect_bad(minimal + "time_limit = inf\n",
               ":4:14: time_limit: not a number (inf); write one like 0.5 or 1e-3");
    expect_bad(minimal + "time_limit = 0\n",
               ":4:14: time_limit: out of range (0); give a number from 0.001 to 31622400");
    expect_bad(minimal + "breaker = 2.5\n", ":4:11: breaker: not a whole number (2.5); give one");
    expect_bad(minimal + "label_is_class = maybe\n",
               ":4:18: label_is_class: unknown value (maybe); known are no, yes");
    expect_bad(minimal + "pass_environment = A B=C\n",
               ":4:20: pass_environment: B=C: not the name of an environment variable; write "
               "letters, digits and '_'");
    expect_bad(minimal + "[environment]\n1A = 2\n",
               ":5:1: 1A: not the name of an environment variable; write letters, digits and '_'");
    expect_bad(minimal + "tags = a ../b\n",
               ":4:8: tags: not a plain name (../b); write letters, digits, '-', '_' and '.', not "
               "beginning with a dot");
    expect_bad("[oracle]\nname = x\ncommand = 'a b\n",
               ":3:11: quote without an end ('a b); close it");
    expect_bad("[oracle]\nname = x\ncommand = run_{{id}} a\n",
               ":3:11: {{id}}: the program cannot depend on the item; name it");
    expect_bad("[oracle]\nname = x\ncommand = a --x={{R:q}}\n",
               ":3:17: {{R:q}}: unknown number form (q); write one like .8f, .6e or 04d");
    expect_bad(minimal + "[retry]\ntimeout = -1\n",
               ":5:11: timeout: out of range (-1); give a number from 0 to 100");
}

TEST_F(SpecTest, labels) {
    const std::string label = minimal + "[label e]\n";
    expect_bad(label + "file = stdout\n",
               ":4:1: 'pattern' is missing; give a regular expression with one group, as in "
               "ENERGY\\s+(\\S+)");
    expect_bad(label + "pattern = (a)\n",
               ":5:1: pattern: 'file' is missing; name stdout, stderr "
               "or a file the oracle writes");
    expect_bad(label + "file = stdout\npattern = E (\\S+\n",
               ":6:11: pattern: not a regular expression (E (\\S+); put a backslash before signs "
               "that stand for themselves");
    expect_bad(label + "file = stdout\npattern = (a)\\1\n",
               ":6:11: pattern: not a regular expression ((a)\\1); back references are not "
               "available");
    expect_bad(label + "file = stdout\npattern = E \\S+\n",
               ":6:11: pattern: has no group (E \\S+); put parentheses around the number, as in "
               "ENERGY\\s+(\\S+)");
    for (const char* file : {"../x", "/etc/passwd", "a/../b", ".hidden", "a//b", "a b"}) {
        expect_bad(label + "file = " + file + "\npattern = (a)\n",
                   std::string(":5:8: file: not a file below the scratch directory (") + file +
                       "); write stdout, stderr or a relative path of plain names");
    }
    expect_bad(label + "match = frist\nfile = stdout\npattern = (a)\n",
               ":5:9: match: unknown value (frist); did you mean 'first'?");
    expect_bad(label + "min = 2\nmax = 1\n", ":5:7: min: above max (2 > 1); swap them");
    expect_bad(label + "min = low\n", ":5:7: min: not a number (low); write one like 0.5 or 1e-3");
    expect_bad(minimal + "label_is_class = yes\n[label a]\n[label b]\n",
               ":4:18: label_is_class: a class is one whole number, but there are 2 [label] "
               "sections; keep one");
}

TEST_F(SpecTest, checks) {
    const std::string check = minimal + "[check c]\n";
    expect_bad(check + "required = a\n",
               ":4:1: 'file' is missing; name stdout, stderr or a file the oracle writes");
    expect_bad(check + "file = stdout\n",
               ":4:1: a check has either 'required' or 'forbidden'; give one of the two");
    expect_bad(check + "file = stdout\nrequired = a\nforbidden = b\n",
               ":7:1: a check has either 'required' or 'forbidden'; give one of the two");
    expect_bad(check + "file = stdout\nrequired = [a\n",
               ":6:12: required: not a regular expression ([a); put a backslash before signs that "
               "stand for themselves");
    expect_bad(check + "file = stdout\nrequired = a\nstatus = nonconvergd\n",
               ":7:10: status: unknown value (nonconvergd); did you mean 'nonconverged'?");
    expect_bad(check + "file = stdout\nrequired = a\nstatus = ok\n",
               ":7:10: status: unknown value (ok); known are oracle_error, nonconverged, invalid, "
               "timeout, refused");
}

TEST_F(SpecTest, the_test_section) {
    expect_bad(minimal + "[test]\nR = 1\n",
               ":4:1: [test]: expects nothing; add a line like expect energy = -1.5");
    expect_bad(minimal + "[test]\nR = x\nexpect y = 1\n",
               ":5:5: R: not a number (x); write one like 0.5 or 1e-3");
    expect_bad(minimal + "[test]\nexpect enrgy = 1\n[label energy]\n",
               ":5:1: expect: unknown label (enrgy); did you mean 'energy'?");
    EXPECT_THAT(read(minimal + "[test]\nexpect  y = 1\n").test_labels, ElementsAre(Pair("y", 1.0)));
}

TEST_F(SpecTest, files) {
    expect_bad(minimal + "[file a]\n",
               ":4:1: 'source' is missing; name the file to take, as in source = deck.in");
    expect_bad(minimal + "[file a]\nsource = gone.dat\n",
               ":5:10: source: " + directory_.file("gone.dat") +
                   ": cannot open: No such file or directory; check the path",
               ExitCode::no_input);
    expect_bad(minimal + "[file ../a]\nsource = oracle.ini\n",
               ":4:1: file: not a plain name (../a); write letters, digits, '-', '_' and '.', not "
               "beginning with a dot");
    expect_bad(minimal + "[file result.json]\nsource = oracle.ini\n",
               ":4:1: file: result.json has a meaning of its own; choose another name");
    expect_bad(minimal + "[file a]\nsource = oracle.ini\n[template a]\nsource = oracle.ini\n",
               ":6:1: template: a is made by another section; keep one of the two");
    write("deck.in", "line\n  {{R:z}}\n");
    expect_error([&] { read(minimal + "[template deck]\nsource = deck.in\n"); },
                 ExitCode::bad_config,
                 directory_.file("deck.in") +
                     ":2:3: {{R:z}}: unknown number form (z); write one like .8f, .6e or 04d");
}

TEST_F(SpecTest, jsonl_oracles_answer_for_themselves) {
    const std::string jsonl = minimal + "mode = jsonl\n";
    EXPECT_EQ(read(jsonl + "[label e]\nunit = Eh\n").mode, Spec::Mode::jsonl);
    expect_bad("[oracle]\nname = x\ncommand = a --x={{R}}\nmode = jsonl\n",
               ":3:17: {{R}}: a jsonl oracle runs once for many items; let it read them from "
               "stdin");
    expect_bad(jsonl + "[template a]\nsource = oracle.ini\n",
               ":5:1: [template]: a jsonl oracle runs once for many items; use [file] or mode = "
               "item");
    expect_bad(jsonl + "[check a]\nfile = stdout\nrequired = a\n",
               ":5:1: [check]: a jsonl oracle gives each item's status in its line; remove the "
               "section");
    expect_bad(jsonl + "[label e]\nfile = stdout\npattern = (a)\n",
               ":6:1: file: a jsonl oracle gives each item's label in its line; remove 'file' and "
               "'pattern'");
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
    const test::TemporaryDirectory elsewhere;
    std::filesystem::copy(directory_.path(), elsewhere.path());
    std::ofstream(elsewhere.file("oracle.ini")) << full;
    EXPECT_EQ(read_spec(elsewhere.file("oracle.ini")).hash, hash);
}

TEST_F(SpecTest, the_oracle_directory_in_the_command) {
    const std::string command = "[oracle]\nname = x\ncommand = python3 {{oracle_dir}}/run.py\n";
    const Spec spec = read(command);
    EXPECT_EQ(spec.command[1].render({}), directory_.path() + "/run.py");
    const test::TemporaryDirectory elsewhere;
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
