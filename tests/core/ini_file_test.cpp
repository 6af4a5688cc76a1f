#include "core/ini_file.hpp"

#include "tests/support/expect_exact_error.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

using test::expect_error;

void expect_bad(const std::string& text, const std::string& message) {
    expect_error([&] { parse_ini("a.ini", text); }, ExitCode::bad_config, message);
}

TEST(IniFile, reads_keys_values_sections_and_places) {
    const IniFile file = parse_ini("a.ini", "batch = 5\n\n[select]\n\tseed=7\n");
    ASSERT_EQ(file.entries.size(), 2U);
    EXPECT_EQ(file.entries[0].section, "");
    EXPECT_EQ(file.entries[0].key, "batch");
    EXPECT_EQ(file.entries[0].value, "5");
    EXPECT_EQ(file.entries[0].value_place.text(), "a.ini:1:9");
    EXPECT_EQ(file.entries[1].section, "select");
    EXPECT_EQ(file.entries[1].key_place.text(), "a.ini:4:2");
    EXPECT_EQ(file.entries[1].value_place.text(), "a.ini:4:7");
    ASSERT_EQ(file.sections.size(), 1U);
    EXPECT_EQ(file.sections[0].place.text(), "a.ini:3:1");
}

TEST(IniFile, byte_order_mark_carriage_returns_and_tabs_are_blanks) {
    const IniFile file = parse_ini("a.ini",
                                   "\xEF\xBB\xBF"
                                   "batch\t=\t5\t\r\nseed = 7\r\n");
    ASSERT_EQ(file.entries.size(), 2U);
    EXPECT_EQ(file.entries[0].key, "batch");
    EXPECT_EQ(file.entries[0].value, "5");
    EXPECT_EQ(file.entries[0].value_place.text(), "a.ini:1:9");
    EXPECT_EQ(file.entries[1].value, "7");
}

TEST(IniFile, comments_and_quotes) {
    const IniFile file = parse_ini("a.ini",
                                   "# a = 1\n"
                                   "  ; b = 2\n"
                                   "c = x#y  # note\n"
                                   "d = \" a # b \" ; note\n"
                                   "e = 1=2");
    ASSERT_EQ(file.entries.size(), 3U);
    EXPECT_EQ(file.entries[0].value, "x#y");
    EXPECT_EQ(file.entries[1].value, " a # b ");
    EXPECT_EQ(file.entries[2].value, "1=2");
}

TEST(IniFile, an_empty_file_says_nothing) {
    EXPECT_TRUE(parse_ini("a.ini", "").entries.empty());
    EXPECT_TRUE(parse_ini("a.ini", "\n\r\n  \n").entries.empty());
}

TEST(IniFile, lines_that_are_neither_key_nor_section_are_named) {
    expect_bad("batch = 5\n  seed 7\n",
               "a.ini:2:3: not a 'key = value' line (seed 7); write one option on each line");
    expect_bad("= 7\n", "a.ini:1:1: not a 'key = value' line (= 7); write one option on each line");
    expect_bad("[select\n",
               "a.ini:1:1: section without ']' ([select); write [name] on a line of its own");
    expect_bad("a = \"b\n", "a.ini:1:5: value without closing quote (\"b); add '\"'");
    expect_bad("a = \"b\" c\n", "a.ini:1:9: text after the closing quote (c); remove it");
}

TEST(IniFile, bytes_that_are_no_text_are_named) {
    expect_bad(std::string("batch = 5\nse\0ed = 7\n", 19),
               "a.ini:2:3: control character (\\x00); write the file as plain UTF-8 text");
    expect_bad(
        "\xFF\xFE"
        "b",
        "a.ini:1:1: the file is UTF-16; save it as UTF-8");
    expect_bad("batch = " + std::string(10'000'000, '5'),
               "a.ini:1:65537: the line is longer than 65,536 bytes; is this an INI file?");
}

TEST(IniFile, files_that_cannot_be_read) {
    expect_error([] { read_ini_file("/nowhere/a.ini"); }, ExitCode::no_input,
                 "/nowhere/a.ini: cannot open: No such file or directory; check "
                 "the path");
    expect_error([] { read_ini_file("/"); }, ExitCode::no_input,
                 "/: not a regular file (a directory); give the name of a file");
}

}  // namespace
}  // namespace sluice
