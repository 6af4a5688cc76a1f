#include "queue/selected_csv.hpp"

#include "queue/publish.hpp"
#include "tests/support/expect_error.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sluice::queue {
namespace {

const std::string header = "rank,row,id,score,distance,reason,nearest,nearest_distance\n";
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float none = std::numeric_limits<float>::quiet_NaN();

TEST(SelectedCsv, has_the_golden_text) {
    const std::vector<BatchItem> items = {{7, "seven", 0.1F, infinity, {}},
                                          {1234567890123, "a,b", 1.0F / 3.0F, 2.5F, {}},
                                          {0, "say \"hi\"", -0.0F, 1e-45F, {}},
                                          {3, "two\nlines", 16777216.0F, none, {}}};
    EXPECT_EQ(selected_csv(items), header +
                                       "1,7,seven,0.1,inf,,,\n"
                                       "2,1234567890123,\"a,b\",0.33333334,2.5,,,\n"
                                       "3,0,\"say \"\"hi\"\"\",-0,1e-45,,,\n"
                                       "4,3,\"two\nlines\",16777216,,,,\n");
    EXPECT_EQ(selected_csv({}), header);
}

TEST(SelectedCsv, says_why_a_row_is_there) {
    std::vector<BatchItem> items = {{7, "seven", 0.5F, infinity, {}},
                                    {3, "three", 0.25F, 2.5F, {}}};
    items[0].reason = "start";
    items[1].reason = "quota \"a, b\"";
    items[1].nearest = 7;
    items[1].nearest_distance = 2.5F;
    const std::string text = selected_csv(items);
    EXPECT_EQ(text, header +
                        "1,7,seven,0.5,inf,start,,\n"
                        "2,3,three,0.25,2.5,\"quota \"\"a, b\"\"\",7,2.5\n");
    EXPECT_EQ(rows_of_selected_csv(text, "f.csv"), (std::vector<RowId>{7, 3}));
}

TEST(SelectedCsv, batches_without_reasons_are_read) {
    EXPECT_EQ(rows_of_selected_csv("rank,row,id,score,distance\n1,4,a,1,\n", "f.csv"),
              (std::vector<RowId>{4}));
    EXPECT_EQ(rows_of_selected_csv(
                  "rank,row,id,score,distance,group,instance_score\n1,4,a,1,,2,1\n", "f.csv"),
              (std::vector<RowId>{4}));
}

TEST(SelectedCsv, rows_read_back_whatever_the_ids_hold) {
    const std::vector<BatchItem> items = {
        {5, ",,\"\n1,2,3\n", 1.0F, none, {}}, {0, "", 1.0F, none, {}}, {9, "\"", 1.0F, none, {}}};
    EXPECT_EQ(rows_of_selected_csv(selected_csv(items), "f.csv"), (std::vector<RowId>{5, 0, 9}));
    EXPECT_TRUE(rows_of_selected_csv(selected_csv({}), "f.csv").empty());
}

TEST(SelectedCsv, instances_have_their_item_and_their_own_score) {
    const std::vector<BatchItem> items = {{7, "a", 0.5F, none, {}, -3, 0.5F},
                                          {8, "b", 0.5F, none, {}, -3, 0.25F}};
    const std::string text = selected_csv(items);
    EXPECT_EQ(text,
              "rank,row,id,score,distance,group,instance_score,reason,nearest,nearest_distance\n"
              "1,7,a,0.5,,-3,0.5,,,\n"
              "2,8,b,0.5,,-3,0.25,,,\n");
    EXPECT_EQ(rows_of_selected_csv(text, "f.csv"), (std::vector<RowId>{7, 8}));
}

TEST(SelectedCsv, refuses_what_is_damaged) {
    for (const std::string& text :
         {std::string(), std::string("rank,row\n1,2\n"), header + "1", header + "1,2,a,1,",
          header + "1,x,a,1,\n", header + "1,-4,a,1,\n", header + "\n"}) {
        test::expect_error(ExitCode::bad_data, "f.csv: record",
                           [&] { rows_of_selected_csv(text, "f.csv"); });
    }
}

}  // namespace
}  // namespace sluice::queue
