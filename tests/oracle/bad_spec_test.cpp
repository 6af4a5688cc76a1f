#include "oracle/spec.hpp"
#include "tests/oracle/spec_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::oracle {
namespace {

using test::expect_error;
using test::minimal;
using ::testing::ElementsAre;
using ::testing::Pair;
using BadSpec = test::SpecTest;

TEST_F(BadSpec, unknown_sections_and_keys_name_the_nearest) {
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

TEST_F(BadSpec, section_titles) {
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

TEST_F(BadSpec, wrong_values) {
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

TEST_F(BadSpec, labels) {
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

TEST_F(BadSpec, checks) {
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

TEST_F(BadSpec, the_test_section) {
    expect_bad(minimal + "[test]\nR = 1\n",
               ":4:1: [test]: expects nothing; add a line like expect energy = -1.5");
    expect_bad(minimal + "[test]\nR = x\nexpect y = 1\n",
               ":5:5: R: not a number (x); write one like 0.5 or 1e-3");
    expect_bad(minimal + "[test]\nexpect enrgy = 1\n[label energy]\n",
               ":5:1: expect: unknown label (enrgy); did you mean 'energy'?");
    EXPECT_THAT(read(minimal + "[test]\nexpect  y = 1\n").test_labels, ElementsAre(Pair("y", 1.0)));
}

TEST_F(BadSpec, files) {
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

TEST_F(BadSpec, jsonl_oracles_answer_for_themselves) {
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

}  // namespace
}  // namespace sluice::oracle
