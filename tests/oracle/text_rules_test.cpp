#include "oracle/text_rules.hpp"

#include "tests/support/expect_exact_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace sluice::oracle {
namespace {

using test::expect_error;
using ::testing::ElementsAre;

queue::TicketItem dimer() {
    return {3, 17, "w-17", {"R", "a b"}, {2.6, -0.1}};
}

std::string rendered(const std::string& text, const queue::TicketItem& item = dimer()) {
    return Template(text, "deck.in").render(item);
}

void expect_bad(const std::string& text, const std::string& message) {
    expect_error([&] { Template(text, "deck.in"); }, ExitCode::bad_config, message);
}

TEST(Template, fills_in_inputs_and_facts) {
    EXPECT_EQ(rendered("R={{R}} {{ a b }} {{item}} {{row}} {{seed}} {{id}}"),
              "R=2.6 -0.1 3 17 17 w-17");
    EXPECT_EQ(rendered(""), "");
    EXPECT_EQ(rendered("no placeholder\n"), "no placeholder\n");
}

TEST(Template, numbers_read_back_to_the_same_bits_by_default) {
    const queue::TicketItem item = {0, 0, "", {"x"}, {0.1 + 0.2}};
    EXPECT_EQ(rendered("{{x}}", item), "0.30000000000000004");
    EXPECT_EQ(rendered("{{x}}", {0, 0, "", {"x"}, {1e-300}}), "1e-300");
}

TEST(Template, number_forms) {
    EXPECT_EQ(rendered("{{R:.3f}}|{{R:8.2e}}|{{R:+g}}|{{R:08.3f}}|{{ R : .1f }}"),
              "2.600|2.60e+00|+2.6|0002.600|2.6");
    EXPECT_EQ(rendered("{{row:05d}}|{{item:x}}|{{row:.2f}}|{{seed:4}}"), "00017|3|17.00|  17");
}

TEST(Template, inputs_without_names_are_counted) {
    const queue::TicketItem item = {0, 5, "5", {}, {1.5, 2.5}};
    EXPECT_EQ(rendered("{{x1}} {{x0}}", item), "2.5 1.5");
}

TEST(Template, an_input_may_have_the_name_of_a_fact) {
    const queue::TicketItem item = {1, 5, "5", {"seed", "id", "row"}, {1.5, 2.5, 4.0}};
    EXPECT_EQ(rendered("{{seed}} {{id}} {{item}} {{row:d}}", item), "1.5 2.5 1 4");
    EXPECT_EQ(rendered("{{seed:d}}", item), "1.5") << "never cut to a whole number";
}

TEST(Template, single_braces_stand_for_themselves) {
    EXPECT_EQ(rendered("{R} ${r} {{{R}}} }} { {{{{R}}"), "{R} ${r} {2.6} }} { {{2.6");
    EXPECT_EQ(rendered("print \"$(pe:%.12g)\" {}"), "print \"$(pe:%.12g)\" {}");
}

TEST(Template, filled_in_text_is_not_read_again) {
    queue::TicketItem item = dimer();
    item.id = "{{R}} {{row}}";
    EXPECT_EQ(rendered("{{id}}", item), "{{R}} {{row}}");
}

TEST(Template, names_without_repeats_and_their_places) {
    const Template deck("a {{R}}\n  {{b}} {{R}}\n{{id}}", "deck.in");
    EXPECT_THAT(deck.names(), ElementsAre("R", "b", "id"));
    EXPECT_EQ(deck.place_of("R"), "deck.in:1:3");
    EXPECT_EQ(deck.place_of("b"), "deck.in:2:3");
    EXPECT_EQ(deck.place_of("id"), "deck.in:3:1");
    const Template word("--r={{R}}", "a:b/oracle.ini:4:20");
    EXPECT_EQ(word.place_of("R"), "a:b/oracle.ini:4:24");
}

TEST(Template, bad_placeholders) {
    expect_bad("x\n {{R\n}}",
               "deck.in:2:2: placeholder without '}}'; close it on the same line, as in {{name}}");
    expect_bad("{{",
               "deck.in:1:1: placeholder without '}}'; close it on the same line, as in "
               "{{name}}");
    expect_bad("{{ }}", "deck.in:1:1: {{ }}: a placeholder without a name; write {{name}}");
    expect_bad("{{R:}}",
               "deck.in:1:1: {{R:}}: unknown number form (); write one like .8f, .6e or "
               "04d");
    expect_bad("{{R:%f}}",
               "deck.in:1:1: {{R:%f}}: unknown number form (%f); write one like .8f, .6e or 04d");
    expect_bad("{{R:9999f}}",
               "deck.in:1:1: {{R:9999f}}: unknown number form (9999f); write one "
               "like .8f, .6e or 04d");
    expect_bad("{{R:{0}}}",
               "deck.in:1:1: {{R:{0}}: unknown number form ({0); write one like .8f, "
               ".6e or 04d");
    expect_bad("{{R:ff}}",
               "deck.in:1:1: {{R:ff}}: unknown number form (ff); write one like .8f, .6e or 04d");
    expect_bad("{{R:d}}",
               "deck.in:1:1: {{R:d}}: an input is a real number (d); write a form like "
               ".0f");
    expect_bad("{{id:.3f}}",
               "deck.in:1:1: {{id:.3f}}: an id is text and takes no number form; "
               "write {{id}}");
}

TEST(Template, an_unknown_name_is_an_error_when_rendered) {
    expect_error([] { rendered("\n{{r}}"); }, ExitCode::bad_config,
                 "deck.in:2:1: {{r}}: no such input; did you mean 'R'?");
}

TEST(Template, hostile_ids_stay_text) {
    for (const char* id : {"; rm -rf /", "$(id)", "`id`", "a\"b'c", "--help", "a b", "../../x",
                           "%s%n", "\xff\xfe"}) {
        queue::TicketItem item = dimer();
        item.id = id;
        EXPECT_EQ(rendered("name {{id}}", item), std::string("name ") + id);
    }
}

TEST(Template, ids_with_control_characters_are_refused) {
    queue::TicketItem item = dimer();
    item.id = "a\nrun 1";
    expect_error([&] { rendered("dump {{id}}", item); }, ExitCode::bad_data,
                 "deck.in:1:6: {{id}}: the id of row 17 has control characters (a\\x0arun 1); use "
                 "{{row}} instead");
    item.id = std::string("a\0b", 3);
    expect_error([&] { rendered("{{id}}", item); }, ExitCode::bad_data,
                 "deck.in:1:1: {{id}}: the id of row 17 has control characters (a\\x00b); use "
                 "{{row}} instead");
}

TEST(Template, an_id_never_becomes_an_option) {
    queue::TicketItem item = dimer();
    item.id = "--output=/etc/passwd";
    const Template word("{{id}}", "o.ini:2:11", Template::Use::argument);
    expect_error([&] { word.render(item); }, ExitCode::bad_data,
                 "o.ini:2:11: {{id}}: the id of row 17 would be taken for an option "
                 "(--output=/etc/passwd); put text before it, as in id_{{id}}, or use {{row}}");
    EXPECT_EQ(Template("id_{{id}}", "o.ini:2:11", Template::Use::argument).render(item),
              "id_--output=/etc/passwd");
    EXPECT_EQ(Template("{{a b}}", "o.ini:2:11", Template::Use::argument).render(item), "-0.1");
}

TEST(SplitWords, at_blanks_and_quotes) {
    EXPECT_THAT(split_words("  xtb g.xyz\t--gfn 2 ", "o"),
                ElementsAre("xtb", "g.xyz", "--gfn", "2"));
    EXPECT_THAT(split_words("a 'b c' \"d ' e\" f'g h'i ''", "o"),
                ElementsAre("a", "b c", "d ' e", "fg hi", ""));
    EXPECT_THAT(split_words("", "o"), ElementsAre());
}

TEST(SplitWords, nothing_else_is_special) {
    EXPECT_THAT(split_words("a;b | c > d $(e) `f` \\ *.x ~ $HOME && !", "o"),
                ElementsAre("a;b", "|", "c", ">", "d", "$(e)", "`f`", "\\", "*.x", "~", "$HOME",
                            "&&", "!"));
}

TEST(SplitWords, an_open_quote_is_an_error) {
    expect_error([] { split_words("a 'b c", "o.ini:3:11"); }, ExitCode::bad_config,
                 "o.ini:3:11: quote without an end ('b c); close it");
}

}  // namespace
}  // namespace sluice::oracle
