#include "cli/commands.hpp"

#include "kernels/score_rows.hpp"
#include "pool/make.hpp"
#include "select/two_stage.hpp"
#include "tests/support/expect_exact_error.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::cli {
namespace {

using test::expect_error;
using Words = std::vector<std::string>;

void expect_usage(const Words& words, const std::string& message) {
    expect_error([&] { plan_action(words); }, ExitCode::usage, message);
}

// A command line that is in order, with more words.
Words select_words(const Words& more) {
    Words words = {"select", "--pool", "p.h5", "--queue", "q", "--batch", "5"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

Words make_words(const Words& more) {
    Words words = {"pool", "make", pool::pool_kinds().front().name, "--rows", "1e3", "--out", "p"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST(Help, lists_come_from_the_registries) {
    const std::string overview = information_text(Words{"--help"}).value();
    const std::string select_page = information_text(Words{"help", "select"}).value();
    const std::string make_page = information_text(Words{"pool", "make", "--help"}).value();
    for (const auto& score : kernels::score_definitions()) {
        EXPECT_TRUE(contains(overview, "  " + score.name + " ")) << score.name;
        EXPECT_TRUE(contains(select_page, score.summary.substr(0, 10))) << score.name;
        for (const std::string& alias : score.aliases) {
            EXPECT_TRUE(contains(select_page, alias)) << alias;
        }
    }
    for (const auto& diversity : select::diversity_definitions()) {
        EXPECT_TRUE(contains(overview, "  " + diversity.name + " ")) << diversity.name;
    }
    for (const auto& kind : pool::pool_kinds()) {
        EXPECT_TRUE(contains(make_page, "  " + kind.name + " ")) << kind.name;
    }
}

TEST(Help, shows_each_option_with_unit_and_default) {
    for (const Command& command : commands()) {
        const std::string page = command_help_text(command.spec);
        for (const OptionSpec& option : command.spec.options) {
            const bool is_positional = option.name == command.spec.positional;
            const std::string label = is_positional ? option.value_name : "--" + option.name;
            EXPECT_TRUE(contains(page, "  " + label)) << label;
            EXPECT_TRUE(contains(page, option.unit)) << label;
            EXPECT_TRUE(contains(page, option.default_text)) << label;
        }
    }
    EXPECT_TRUE(contains(information_text(Words{"select", "-h"}).value(), "[GiB; default 1]"));
}

TEST(Help, fits_the_page) {
    for (const Words& words : {Words{"help"}, Words{"help", "select"}, Words{"help", "check"},
                               Words{"help", "pool", "make"}}) {
        const std::string page = information_text(words).value();
        for (std::size_t begin = 0; begin < page.size();) {
            const std::size_t end = page.find('\n', begin);
            EXPECT_LE(end - begin, 100U) << page.substr(begin, end - begin);
            begin = end + 1;
        }
    }
}

TEST(Help, is_not_what_a_command_gives) {
    EXPECT_FALSE(information_text(Words{}).has_value());
    EXPECT_FALSE(information_text(select_words({})).has_value());
    EXPECT_FALSE(information_text(Words{"help", "selct"}).has_value());
    EXPECT_TRUE(contains(information_text(Words{"--version"}).value(), "HDF5"));
}

TEST(Commands, words_that_name_no_command) {
    expect_usage({}, "no command given; see 'sluice help'");
    expect_usage({"selct"}, "unknown command (selct); did you mean 'select'?");
    expect_usage({"help", "selct"}, "unknown command (selct); did you mean 'select'?");
    expect_usage({"pool"}, "unknown command (pool); did you mean 'pool make'?");
    expect_usage({"pool", "mkae"}, "unknown command (pool); did you mean 'pool make'?");
    expect_usage({"hlep"}, "unknown command (hlep); did you mean 'help'?");
    expect_usage({"--pool", "a.h5"}, "unknown command (--pool); see 'sluice help'");
}

TEST(SelectCommand, understands_every_option) {
    const Action action = plan_action(select_words(
        {"--score",       "margin",     "--diversify",     "none", "--shortlist", "50",
         "--labels",      "l.h5",       "--seed",          "7",    "--round",     "2",
         "--threads",     "3",          "--device",        "cpu",  "--memory",    "0.5",
         "--selected",    "s.csv",      "--json",          "j",    "--dry-run",   "--bad-rows",
         "skip",          "--new-pool", "--ticket-items",  "10",   "--input",     "committee",
         "--features",    "/x",         "--probabilities", "/y",   "--committee", "/z",
         "--predictions", "/u",         "--inputs",        "/v",   "--ids",       "/w",
         "--metric",      "cosine",     "--block-rows",    "1",    "--tag",       "gpu"}));
    EXPECT_TRUE(static_cast<bool>(action.run));
    EXPECT_TRUE(contains(action.request, "score=6:margin\n"));
}

TEST(SelectCommand, impossible_requests) {
    expect_usage({"select", "--queue", "q", "--batch", "5"},
                 "--pool FILE: missing; add it: the pool's HDF5 files, in row order (see 'sluice "
                 "help select')");
    expect_usage({"select", "--pool", "p.h5", "--batch", "5"},
                 "--queue DIR: missing; say where the batch goes, or give --selected FILE or "
                 "--dry-run");
    expect_usage({"select", "--pool", "p.h5", "--queue", "q", "--batch", "0"},
                 "--batch: not a whole number from 1 to 2147483647 (0); give one in that range");
    expect_usage({"select", "--pool", "p.h5", "--queue", "q", "--batch", "-1"},
                 "--batch: not a whole number from 1 to 2147483647 (-1); give one in that range");
    expect_usage(select_words({"--shortlist", "4"}),
                 "--shortlist: smaller than the batch (4 < 5); give at least --batch");
    expect_usage(select_words({"--round", "0"}),
                 "--round: not a whole number from 1 to 4294967295 (0); give one in that range");
    expect_usage(select_words({"--threads", "0"}),
                 "--threads: not a whole number from 1 to 4096 (0); give one in that range");
    expect_usage(select_words({"--tag", "../x"}),
                 "--tag: '../x' cannot be a tag; use letters, digits, '-', '_' and '.'");
    expect_usage(select_words({"--device", "cuda"}),
                 "--device: unknown name (cuda); choose one of auto cpu gpu");
    expect_usage(select_words({"--bad-rows", "ignore"}),
                 "--bad-rows: unknown name (ignore); choose one of refuse skip");
    expect_usage(select_words({"--metric", "euclid"}),
                 "--metric: unknown name (euclid); choose one of euclidean cosine");
}

TEST(SelectCommand, takes_the_aliases_of_scores_and_diversities) {
    for (const auto& score : kernels::score_definitions()) {
        for (const std::string& alias : score.aliases) {
            EXPECT_TRUE(contains(plan_action(select_words({"--score", alias})).request,
                                 ":" + score.name + "\n"))
                << alias;
        }
    }
    for (const auto& diversity : select::diversity_definitions()) {
        for (const std::string& alias : diversity.aliases) {
            EXPECT_TRUE(contains(plan_action(select_words({"--diversify", alias})).request,
                                 ":" + diversity.name + "\n"))
                << alias;
        }
    }
}

TEST(CheckCommand, files_need_no_option_name) {
    EXPECT_TRUE(contains(plan_action(Words{"check", "a.h5", "b.h5"}).request,
                         "pool=4:a.h5\npool=4:b.h5\n"));
    EXPECT_TRUE(contains(plan_action(Words{"check", "--pool", "a.h5"}).request, "pool=4:a.h5\n"));
    expect_usage({"check"},
                 "FILE: missing; add it: the pool's HDF5 files, in row order (see 'sluice help "
                 "check')");
}

TEST(PoolMakeCommand, impossible_pools) {
    expect_usage({"pool", "make", "--rows", "5", "--out", "p"},
                 "KIND: missing; add it: what the features look like (see 'sluice help pool "
                 "make')");
    expect_usage(make_words({"more"}),
                 "unexpected word (more) after KIND; give one KIND (see 'sluice help pool make')");
    expect_usage(make_words({"--classes", "1"}),
                 "--classes: one class decides nothing (1); give 2 or more");
    expect_usage(make_words({"--deflate", "4"}),
                 "--deflate: only chunks can be compressed; add --chunk-rows R");
    expect_usage(make_words({"--deflate", "10", "--chunk-rows", "8"}),
                 "--deflate: not a whole number from 0 to 9 (10); give one in that range");
    expect_usage(make_words({"--outputs", "2"}),
                 "--outputs: predictions need a committee; add --members M");
    expect_usage(make_words({"--members", "2", "--classes", "0"}),
                 "--members: a committee needs classes or outputs; add --classes or --outputs");
    expect_usage(make_words({"--dim", "0", "--classes", "0"}),
                 "--dim: the pool would hold nothing (0); give --dim, --classes or --outputs");
    expect_usage(make_words({"--dtype", "f8"}),
                 "--dtype: unknown name (f8); did you mean f16? one of f16 f32 f64");
    EXPECT_TRUE(contains(plan_action(make_words({"--dtype", "float16"})).request, "dtype=3:f16\n"));
}

}  // namespace
}  // namespace sluice::cli
