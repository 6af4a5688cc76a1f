#include "select/input_box.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace sluice::select {
namespace {

constexpr const char* header = "name,low,high,unit,scale\n";

std::string refusal(const std::string& text) {
    try {
        read_ranges(text, "ranges.csv");
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::bad_data) << error.what();
        return error.what();
    }
    return "";
}

TEST(InputBox, reads_columns_in_any_order) {
    const InputBox box = read_ranges("high,name,low\r\n 2.5 , w ,-1\r\n\n1e3,l,10\n", "ranges.csv");
    ASSERT_EQ(box.dim(), 2);
    EXPECT_EQ(box.ranges()[0].name, "w");
    EXPECT_EQ(box.ranges()[0].low, -1.0);
    EXPECT_EQ(box.ranges()[0].high, 2.5);
    EXPECT_EQ(box.ranges()[1].name, "l");
    EXPECT_EQ(box.high()[1], 1000.0F);
    EXPECT_EQ(box.input_of(0, 0.5F), 0.5);
}

TEST(InputBox, features_stay_inside_what_float32_rounds_outward) {
    // 0.1F is above 0.1, 0.7F is below 0.7.
    const InputBox box = read_ranges("name,low,high\na,0.7,0.9\nb,-0.3,0.1\n", "ranges.csv");
    for (std::int64_t i = 0; i < 2; ++i) {
        const InputRange& range = box.ranges()[static_cast<std::size_t>(i)];
        for (const double share : {0.0, 1e-9, 0.3, 0.5, 1.0 - 1e-9, 1.0}) {
            const float feature = box.feature_at(i, share);
            EXPECT_GE(box.input_of(i, feature), range.low);
            EXPECT_LE(box.input_of(i, feature), range.high);
            EXPECT_NEAR(feature, range.low + share * (range.high - range.low), 1e-7);
        }
    }
    EXPECT_GT(box.low()[0], 0.7F);
    EXPECT_LT(box.high()[1], 0.1F);
}

TEST(InputBox, scales_as_its_formulas_say) {
    const InputBox box =
        read_ranges(std::string(header) + "w,2e-6,5e-5,m,log\nv,0.69,1.1,V,linear\n", "ranges.csv");
    EXPECT_EQ(box.ranges()[0].unit, "m");
    for (int i = -8; i <= 8; ++i) {
        const float feature = static_cast<float>(i) / 8.0F;
        const double share = (feature + 1.0) / 2.0;
        const double wanted = 2e-6 * std::pow(25.0, share);
        EXPECT_NEAR(box.input_of(0, feature) / wanted, 1.0, 1e-14);
        EXPECT_NEAR(box.input_of(1, feature), 0.69 + 0.41 * share, 1e-15);
    }
    EXPECT_EQ(box.input_of(1, -1.0F), 0.69);
    EXPECT_EQ(box.input_of(1, 1.0F), 1.1);
    EXPECT_EQ(box.feature_at(0, 0.0), -1.0F);
    EXPECT_EQ(box.feature_at(0, 1.0), 1.0F);
}

TEST(InputBox, texts_of_ranges_read_back) {
    EXPECT_EQ(range_text({"w", "m", 2e-6, 5e-5, InputScale::log}), "2e-06,5e-05,log");
    EXPECT_EQ(range_text({"w", "m", -1.0, 2.0, InputScale::none}), "-1,2");
}

TEST(InputBox, refuses_by_name_and_line) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"", "ranges.csv: declares no input"},
        {"name,low,high\n", "ranges.csv: declares no input"},
        {"name,low\nw,1\n", "ranges.csv:1: no column `high`"},
        {"w,0,1\n", "ranges.csv:1: no column `name`"},
        {"name,low,high\nw,0\n", "ranges.csv:2: 2 fields where the first line has 3"},
        {"name,low,high\n,0,1\n", "ranges.csv:2: the input has no name"},
        {"name,low,high\nv,0,1\nw,zero,1\n", "ranges.csv:3: input 'w': low is no number (zero)"},
        {"name,low,high\nw,0,\n", "ranges.csv:2: input 'w': high is no number ()"},
        {"name,low,high\nw,nan,1\n", "ranges.csv: input 'w': nan is no bound"},
        {"name,low,high\nw,0,inf\n", "ranges.csv: input 'w': inf is no bound"},
        {"name,low,high\nw,2,1\n", "ranges.csv: input 'w': low 2 is not below high 1"},
        {"name,low,high\nw,1,1\n", "ranges.csv: input 'w': low 1 is not below high 1"},
        {"name,low,high\nw,1,1.00000001\n", "input 'w': float32, which models read, holds no two"},
        {"name,low,high\nw,0,1\nw,2,3\n", "ranges.csv: two inputs have one name"},
        {std::string(header) + "w,0,1,m,log\n", "input 'w': low 0 has no logarithm"},
        {std::string(header) + "w,1,2,m,cubic\n", "input 'w': unknown scale 'cubic'"},
    };
    for (const auto& [text, part] : cases)
        EXPECT_NE(refusal(text).find(part), std::string::npos) << part << "\n" << refusal(text);
}

}  // namespace
}  // namespace sluice::select
