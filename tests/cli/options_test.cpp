#include "cli/options.hpp"

#include "tests/support/expect_exact_error.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <clocale>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace sluice::cli {
namespace {

using test::expect_error;
using Words = std::vector<std::string>;

const Words command_names = {"pool make", "check", "select"};

CommandSpec spec() {
    CommandSpec result;
    result.name = "select";
    result.options = {
        {.name = "pool",
         .value_name = "FILE",
         .summary = "pool files",
         .kind = OptionSpec::Kind::list},
        {.name = "batch",
         .value_name = "B",
         .summary = "how many rows to choose",
         .need = OptionSpec::Need::required,
         .aliases = {"batch-size"}},
        {.name = "score",
         .value_name = "NAME",
         .summary = "score",
         .default_text = "entropy",
         .choices = {{"entropy", {"ent"}}, {"margin", {"sm"}}}},
        {.name = "seed", .value_name = "S", .summary = "seed", .default_text = "0"},
        {.name = "memory", .value_name = "X", .summary = "memory", .default_text = "1"},
        {.name = "dry-run", .value_name = "", .summary = "plan", .kind = OptionSpec::Kind::flag},
        {.name = "config", .value_name = "FILE", .summary = "INI file"},
    };
    return result;
}

Options parse(const Words& words) {
    return parse_options(spec(), words, command_names);
}

void expect_usage(const Words& words, const std::string& message) {
    expect_error([&] { parse(words); }, ExitCode::usage, message);
}

// An INI file in the working directory under a fixed name, gone at the end.
class Config {
  public:
    explicit Config(const std::string& text) {
        std::filesystem::current_path(directory_);
        std::ofstream("run.ini", std::ios::binary) << text;
    }
    ~Config() {
        std::filesystem::current_path("/");
        std::filesystem::remove_all(directory_);
    }

  private:
    static std::filesystem::path make_directory() {
        std::string pattern = std::filesystem::temp_directory_path() / "sluice-options-XXXXXX";
        return ::mkdtemp(pattern.data());
    }

    std::filesystem::path directory_ = make_directory();
};

void expect_bad_config(const std::string& text, const std::string& message) {
    const Config config(text);
    expect_error(
        [] {
            const Options options = parse({"--config", "run.ini", "--batch", "5"});
            options.seed("seed");
            options.positive_number("memory");
        },
        ExitCode::bad_config, message);
}

TEST(Options, values_defaults_lists_and_flags) {
    const Options options =
        parse({"--pool", "a.h5", "b c.h5", "--batch=1_000", "--pool", "d.h5", "--dry-run"});
    EXPECT_EQ(options.texts("pool"), (Words{"a.h5", "b c.h5", "d.h5"}));
    EXPECT_EQ(options.count("batch", {1, 5000}), 1000);
    EXPECT_EQ(options.text("score"), "entropy");
    EXPECT_EQ(options.seed("seed"), 0U);
    EXPECT_TRUE(options.flag("dry-run"));
    EXPECT_FALSE(parse({"--batch", "1"}).flag("dry-run"));
}

TEST(Options, aliases_of_options_and_of_names) {
    const Options options = parse({"--batch-size", "3", "--score", "sm"});
    EXPECT_EQ(options.count("batch", {1, 5}), 3);
    EXPECT_EQ(options.text("score"), "margin");
}

// Catalogue row 42.
TEST(Options, words_that_are_not_understood) {
    expect_usage({"--bathc", "3"},
                 "--bathc: unknown option; did you mean --batch? (see 'sluice help select')");
    expect_usage({"--zzzzzzzzzz=3"}, "--zzzzzzzzzz: unknown option; see 'sluice help select'");
    expect_usage({"-b", "3"}, "-b: unknown option; see 'sluice help select'");
    expect_usage({"--bat", "3"},
                 "--bat: unknown option; did you mean --batch? (see 'sluice help select')");
    expect_usage({"--batch"}, "--batch: its value is missing; give one (see 'sluice help select')");
    expect_usage({"--batch", "--dry-run"},
                 "--batch: its value is missing; give one (see 'sluice help select')");
    expect_usage({"--batch="},
                 "--batch: its value is missing; give one (see 'sluice help select')");
    expect_usage({"--batch", ""}, "--batch: its value is empty; give one");
    expect_usage({"--dry-run=yes"},
                 "--dry-run: takes no value; write it alone (see 'sluice help select')");
    expect_usage({"--batch", "3", "--batch", "3"},
                 "--batch: given more than once; give it one value");
    expect_usage({"--batch", "3", "--batch-size", "4"},
                 "--batch: given more than once; give it one value");
    expect_usage({"--batch", "3", "4"},
                 "unexpected word (4); an option starts with -- and takes one value, unless help "
                 "says otherwise (see 'sluice help select')");
    expect_usage({},
                 "--batch B: missing; add it: how many rows to choose (see 'sluice help "
                 "select')");
    expect_usage({"--batch", "1", "--score", "margn"},
                 "--score: unknown name (margn); did you mean margin? one of entropy margin");
    expect_usage({"--batch", "1", "--score", "\x1b[31m"},
                 "--score: unknown name (\\x1b[31m); choose one of entropy margin");
}

// Catalogue row 40.
TEST(Options, batch_sizes_out_of_range) {
    for (const std::string text : {"0", "-5", "2147483648", "1e10", "five", "1.5", "0x10", " 3"}) {
        expect_error(
            [&] {
                parse({"--batch", text}).count("batch", {1, 2147483647});
            },
            ExitCode::usage,
            "--batch: not a whole number from 1 to 2147483647 (" + text +
                "); give one in that range");
    }
}

// Catalogue row 44.
TEST(Options, seeds_out_of_range) {
    for (const std::string text : {"-1", "18446744073709551616", "seven", "1.0", "1e3"}) {
        expect_error(
            [&] {
                parse({"--batch", "1", "--seed", text}).seed("seed");
            },
            ExitCode::usage,
            "--seed: not a whole number from 0 to 18446744073709551615 (" + text +
                "); give one in that range");
    }
    EXPECT_EQ(parse({"--batch", "1", "--seed", "18446744073709551615"}).seed("seed"),
              18446744073709551615ULL);
}

TEST(Options, numbers_with_a_point) {
    EXPECT_EQ(parse({"--batch", "1", "--memory", "0.5"}).positive_number("memory"), 0.5);
    for (const std::string text : {"0", "-1", "0,5", "nan", "much"}) {
        expect_error(
            [&] {
                parse({"--batch", "1", "--memory", text}).positive_number("memory");
            },
            ExitCode::usage,
            "--memory: not a number above 0 (" + text + "); give one, with a point for decimals");
    }
}

TEST(Options, the_command_line_wins_over_the_file) {
    const Config config(
        "batch = 7\nseed = 9\ndry-run = yes\n[check]\nthreads = 3\n"
        "[select]\npool = a b.h5\npool = c.h5\n");
    const Options options = parse({"--batch", "5", "--config", "run.ini"});
    EXPECT_EQ(options.count("batch", {1, 9}), 5);
    EXPECT_EQ(options.seed("seed"), 9U);
    EXPECT_TRUE(options.flag("dry-run"));
    EXPECT_EQ(options.texts("pool"), (Words{"a b.h5", "c.h5"}));
    EXPECT_EQ(parse({"--config", "run.ini"}).count("batch", {1, 9}), 7);
}

// Catalogue row 43.
TEST(Options, configuration_mistakes_have_line_and_column) {
    expect_bad_config("seed = 1\nscor = entropy\n",
                      "run.ini:2:1: scor: unknown key; did you mean score? (see 'sluice help "
                      "select')");
    expect_bad_config("seed = 1\n  seed = 2\n",
                      "run.ini:2:3: seed: given before on line 1; keep one of the two");
    expect_bad_config("batch = 1\nbatch-size = 2\n",
                      "run.ini:2:1: batch-size: given before on line 1; keep one of the two");
    expect_bad_config("\xEF\xBB\xBFseed =\tabc\r\n",
                      "run.ini:1:8: seed: not a whole number from 0 to 18446744073709551615 (abc); "
                      "give one in that range");
    expect_bad_config("memory = 0,5\n",
                      "run.ini:1:10: memory: not a number above 0 (0,5); give one, with a point "
                      "for decimals");
    expect_bad_config("score = margn\n",
                      "run.ini:1:9: score: unknown name (margn); did you mean margin? one of "
                      "entropy margin");
    expect_bad_config("dry-run = maybe\n",
                      "run.ini:1:11: dry-run: neither true nor false (maybe); write one of the "
                      "two");
    expect_bad_config("seed =\n",
                      "run.ini:1:7: seed: its value is missing; give one or remove the line");
    expect_bad_config("[selct]\nseed = 1\n",
                      "run.ini:1:1: [selct]: unknown section; did you mean [select]?");
    expect_bad_config("config = other.ini\n",
                      "run.ini:1:1: config: one INI file cannot name another; remove the line");
}

TEST(Options, one_text_for_one_request) {
    EXPECT_EQ(parse({"--batch", "1", "--seed", "0"}).canonical_text(),
              parse({"--batch-size", "1"}).canonical_text());
    EXPECT_NE(parse({"--batch", "1"}).canonical_text(), parse({"--batch", "2"}).canonical_text());
    EXPECT_NE(parse({"--batch", "1", "--pool", "a", "b"}).canonical_text(),
              parse({"--batch", "1", "--pool", "a\npool=1:b"}).canonical_text());
}

}  // namespace
}  // namespace sluice::cli
