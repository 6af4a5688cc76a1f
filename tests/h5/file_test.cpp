#include "core/error.hpp"
#include "h5/input_file.hpp"
#include "h5/output_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <numeric>

namespace sluice::h5 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A path in a directory of this test's own, removed at the end.
class H5File : public testing::Test {
  protected:
    H5File() { std::filesystem::create_directories(directory_); }
    ~H5File() override { std::filesystem::remove_all(directory_); }
    std::string path(const std::string& name) const { return directory_ / name; }

  private:
    std::filesystem::path directory_ =
        std::filesystem::temp_directory_path() / ("sluice_h5_test." + std::to_string(::getpid()));
};

std::string message_of(const std::function<void()>& step, ExitCode code) {
    try {
        step();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), code) << error.what();
        return error.what();
    }
    ADD_FAILURE() << "no error";
    return {};
}

TEST_F(H5File, numbers_text_and_attributes_read_back) {
    const std::vector<double> numbers{1.5, -2.25, 1e300};
    const std::vector<std::int64_t> rows{3, -7, 1'000'000'000'000};
    const std::vector<std::string> names{"a", "Ångström", ""};
    OutputFile file(path("a.h5"));
    file.write_dataset<double>("y", numbers, {3});
    file.write_dataset<std::int64_t>("group/rows", rows, {3});
    file.write_text_dataset("fixed", names, TextStorage::fixed);
    file.write_text_dataset("variable", names, TextStorage::variable);
    file.set_attribute("/", "format", "sluice-test");
    file.set_attribute("/", "version", std::int64_t{7});
    file.set_attribute("/y", "names", std::span<const std::string>(names));
    file.close();

    const InputFile in(path("a.h5"));
    EXPECT_EQ(in.doubles("y"), numbers);
    EXPECT_EQ(in.integers("group/rows"), rows);
    EXPECT_EQ(in.text("fixed"), names);
    EXPECT_EQ(in.text("variable"), names);
    EXPECT_EQ(in.attribute_text("/", "format"), "sluice-test");
    EXPECT_EQ(in.attribute_integer("/", "version"), 7);
    EXPECT_EQ(in.attribute_list("/y", "names"), names);
    EXPECT_EQ(in.attribute_text("/y", "units"), std::nullopt);
    EXPECT_FALSE(in.has("nothing/here"));
}

TEST_F(H5File, filtered_chunks_and_rows_in_pieces_read_back) {
    std::vector<float> values(100 * 3);
    std::iota(values.begin(), values.end(), 0.0F);
    OutputFile file(path("b.h5"));
    OutputDataset dataset = file.create_dataset(
        "x", StoredType::float32, {100, 3},
        {.chunk_rows = 8, .shuffle = true, .deflate_level = 1, .fletcher32 = true});
    const std::span<const float> all(values);
    dataset.write_rows(40, all.subspan(40 * 3));
    dataset.write_rows(0, all.first(40 * 3));
    dataset.close();
    file.close();

    EXPECT_EQ(InputFile(path("b.h5")).floats("x"), values);
    EXPECT_THAT(InputFile(path("b.h5")).dims("x"), ElementsAre(100, 3));
}

TEST_F(H5File, a_range_of_rows_reads_back) {
    std::vector<double> numbers(5 * 2);
    std::iota(numbers.begin(), numbers.end(), 0.5);
    const std::vector<std::int64_t> rows{3, -7, 9, 11, 12};
    const std::vector<float> features{1, 2, 3, 4, 5};
    const std::vector<std::string> names{"a", "Ångström", "", "d", "e"};
    OutputFile file(path("a.h5"));
    file.write_dataset<double>("y", numbers, {5, 2});
    file.write_dataset<float>("features", features, {5, 1});
    file.write_dataset<std::int64_t>("row", rows, {5});
    file.write_text_dataset("fixed", names, TextStorage::fixed);
    file.write_text_dataset("variable", names, TextStorage::variable);
    file.close();

    const InputFile in(path("a.h5"));
    EXPECT_THAT(in.doubles("y", RowRange{1, 3}), ElementsAre(2.5, 3.5, 4.5, 5.5));
    EXPECT_THAT(in.floats("features", RowRange{4, 5}), ElementsAre(5.0F));
    EXPECT_THAT(in.integers("row", RowRange{1, 3}), ElementsAre(-7, 9));
    EXPECT_THAT(in.text("fixed", RowRange{1, 3}), ElementsAre("Ångström", ""));
    EXPECT_THAT(in.text("variable", RowRange{3, 5}), ElementsAre("d", "e"));
    EXPECT_TRUE(in.doubles("y", RowRange{5, 5}).empty());
    const auto beyond = [&] { in.integers("row", RowRange{3, 6}); };
    EXPECT_THAT(message_of(beyond, ExitCode::bad_data), HasSubstr("row: has no rows 3 to 5"));
}

TEST_F(H5File, contiguous_data_lies_at_the_stated_offset) {
    const std::vector<float> values{1.0F, 2.0F, 3.0F, 4.0F};
    OutputFile file(path("c.h5"));
    OutputDataset dataset = file.create_dataset("x", StoredType::float32, {2, 2});
    const std::int64_t offset = dataset.contiguous_offset();
    dataset.write<float>(values);
    dataset.close();
    file.close();

    std::ifstream raw(path("c.h5"), std::ios::binary);
    raw.seekg(offset);
    std::vector<float> found(4);
    raw.read(reinterpret_cast<char*>(found.data()), 16);
    EXPECT_EQ(found, values);
}

TEST_F(H5File, half_precision_is_written_as_bit_patterns) {
    const std::vector<std::uint16_t> halves{0x3C00, 0xC000, 0x7BFF, 0x0001};  // 1, -2, 65504, 2^-24
    OutputFile file(path("d.h5"));
    OutputDataset dataset = file.create_dataset("x", StoredType::float16, {4});
    dataset.write<std::uint16_t>(halves);
    dataset.close();
    file.close();

    EXPECT_THAT(InputFile(path("d.h5")).doubles("x"), ElementsAre(1.0, -2.0, 65504.0, 0x1p-24));
}

TEST_F(H5File, an_existing_file_is_not_overwritten) {
    OutputFile(path("e.h5")).close();
    EXPECT_THAT(message_of([&] { OutputFile again(path("e.h5")); }, ExitCode::cannot_create),
                HasSubstr("File exists"));
}

TEST_F(H5File, unsigned_values_beyond_int64_are_refused_not_clipped) {
    const std::vector<std::uint64_t> values{1, (std::uint64_t{1} << 63) + 5};
    OutputFile file(path("f.h5"));
    file.write_dataset<std::uint64_t>("ids", values, {2});
    file.close();
    EXPECT_THAT(message_of([&] { InputFile(path("f.h5")).integers("ids"); }, ExitCode::bad_data),
                HasSubstr("ids[1]: value is too large (9223372036854775813)"));
}

TEST_F(H5File, a_text_file_gives_one_line_with_the_library_s_reason) {
    std::ofstream(path("g.h5")) << "no HDF5 here";
    const std::string message = message_of([&] { InputFile in(path("g.h5")); }, ExitCode::bad_data);
    EXPECT_THAT(message, HasSubstr("cannot be opened as HDF5: HDF5: "));
    EXPECT_EQ(message.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace sluice::h5
