#include "report/csv_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::report {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(CsvTable, fields_in_quotes_hold_commas_lines_and_quotes) {
    EXPECT_THAT(csv_lines("a,b\n1,\"x,\n\"\"y\"\"\"\n"),
                ElementsAre(ElementsAre("a", "b"), ElementsAre("1", "x,\n\"y\"")));
}

TEST(CsvTable, empty_fields_are_fields) {
    EXPECT_THAT(csv_lines(",\n"), ElementsAre(ElementsAre("", "")));
}

TEST(CsvTable, a_line_that_breaks_off_is_left_out) {
    EXPECT_THAT(csv_lines("a\n1\n2"), ElementsAre(ElementsAre("a"), ElementsAre("1")));
    EXPECT_THAT(csv_lines("a\n\"1\n"), ElementsAre(ElementsAre("a")));
    EXPECT_THAT(csv_lines(""), IsEmpty());
}

}  // namespace
}  // namespace sluice::report
