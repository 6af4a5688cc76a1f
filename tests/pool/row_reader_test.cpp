#include "pool/row_reader.hpp"

#include "core/error.hpp"
#include "test_pools.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <numeric>
#include <random>

namespace sluice::pool {
namespace {

using test::copy_test_file;
using test::open_alone;
using test::test_columns;
using test::test_integer;
using test::test_pool;
using test::test_rows;
using test::test_value;
using testing::ElementsAre;
using testing::HasSubstr;

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

bool rows_are_right(std::span<const RowId> rows, std::span<const float> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto row = rows[i / test_columns];
        const auto column = static_cast<std::int64_t>(i % test_columns);
        if (values[i] != static_cast<float>(test_value(row, column))) return false;
    }
    return true;
}

std::vector<RowId> all_rows(RowRange range) {
    std::vector<RowId> rows(static_cast<std::size_t>(range.size()));
    std::iota(rows.begin(), rows.end(), range.begin);
    return rows;
}

// Random ranges and gathers by one thread; returns how many came out wrong.
int count_wrong_reads(const RowReader& reader, unsigned seed, int num_reads) {
    std::mt19937 random(seed);
    RowReader::Scratch scratch;
    int num_wrong = 0;
    for (int i = 0; i < num_reads; ++i) {
        RowRange range{static_cast<RowId>(random() % test_rows), 0};
        range.end = range.begin + static_cast<RowId>(random() % (test_rows - range.begin + 1));
        std::vector<float> values(static_cast<std::size_t>(range.size() * test_columns));
        reader.prefetch(range);
        reader.read(range, values, scratch);
        if (!rows_are_right(all_rows(range), values)) ++num_wrong;

        std::vector<RowId> rows;
        for (RowId row = 0; row < test_rows; ++row) {
            if (random() % 8 < static_cast<unsigned>(i % 8)) rows.push_back(row);
        }
        values.resize(rows.size() * test_columns);
        reader.gather(rows, values, scratch);
        if (!rows_are_right(rows, values)) ++num_wrong;
    }
    return num_wrong;
}

// AddressSanitizer's allocator does not survive a fork while another thread allocates, so there
// the threads that fork take turns.
#if defined(__SANITIZE_ADDRESS__)
constexpr auto launch_of_forking_threads = std::launch::deferred;
#else
constexpr auto launch_of_forking_threads = std::launch::async;
#endif

int count_wrong_reads_of_two_threads(const RowReader& reader, int num_reads,
                                     std::launch launch = std::launch::async) {
    auto other = std::async(launch, [&] { return count_wrong_reads(reader, 7, num_reads); });
    const int num_wrong = count_wrong_reads(reader, 11, num_reads);
    return num_wrong + other.get();
}

class GoodFile : public testing::TestWithParam<std::string> {};

TEST_P(GoodFile, every_row_equals_what_was_written) {
    const Pool pool = open_alone({{test_pool(GetParam())}});
    const Dataset& dataset = pool.get("features", "the test");
    ASSERT_EQ(dataset.num_rows, test_rows);
    EXPECT_EQ(dataset.parts[0].layout, Layout::chunked) << dataset.parts[0].why_library;
    const RowReader reader(dataset);
    EXPECT_EQ(count_wrong_reads_of_two_threads(reader, 40), 0);
}

INSTANTIATE_TEST_SUITE_P(Chunked, GoodFile,
                         testing::Values("chunks_1", "chunks_7", "chunks_64", "deflate", "shuffle",
                                         "fletcher32", "all_filters", "one_big_chunk", "resizable",
                                         "latest_chunks", "latest_filters", "latest_resizable",
                                         "latest_one_chunk", "latest_chunks_1", "latest_bounded",
                                         "user_block_chunks", "user_block_filters", "shrunk",
                                         "long_header", "skipped_filters", "little_f2_filters",
                                         "big_f2_filters", "big_f4_filters", "little_f8_filters",
                                         "big_f8_filters"),
                         [](const auto& name) { return name.param; });

class ContiguousFile : public testing::TestWithParam<std::string> {};

TEST_P(ContiguousFile, every_row_equals_what_was_written) {
    const Pool pool = open_alone({{test_pool(GetParam())}});
    const Dataset& dataset = pool.get("features", "the test");
    EXPECT_EQ(dataset.parts[0].layout, Layout::contiguous) << dataset.parts[0].why_library;
    const RowReader reader(dataset);
    EXPECT_EQ(count_wrong_reads_of_two_threads(reader, 40), 0);
}

INSTANTIATE_TEST_SUITE_P(Contiguous, ContiguousFile,
                         testing::Values("contiguous", "latest_contiguous", "user_block",
                                         "soft_link", "little_f2", "big_f2", "big_f4", "little_f8",
                                         "big_f8"),
                         [](const auto& name) { return name.param; });

class LibraryFile : public testing::TestWithParam<std::string> {};

TEST_P(LibraryFile, every_row_equals_what_was_written) {
    const Pool pool = open_alone({{test_pool(GetParam())}});
    const Dataset& dataset = pool.get("features", "the test");
    EXPECT_EQ(dataset.parts[0].layout, Layout::library);
    const RowReader reader(dataset);
    EXPECT_EQ(count_wrong_reads_of_two_threads(reader, 5, launch_of_forking_threads), 0);
}

INSTANTIATE_TEST_SUITE_P(Library, LibraryFile,
                         testing::Values("chunks_of_columns", "scale_offset", "compact",
                                         "virtual_inside"),
                         [](const auto& name) { return name.param; });

TEST(RowReader, a_long_array_of_chunks_is_read_page_by_page) {
    const Pool pool = open_alone({{test_pool("latest_pages")}});
    const Dataset& dataset = pool.get("features", "the test");
    ASSERT_EQ(dataset.parts[0].layout, Layout::chunked) << dataset.parts[0].why_library;
    const RowReader reader(dataset);
    RowReader::Scratch scratch;
    std::vector<float> values(5000 * test_columns);
    reader.read({0, 5000}, values, scratch);
    EXPECT_TRUE(rows_are_right(all_rows({0, 5000}), values));
}

TEST(RowReader, five_files_of_different_layout_are_one_pool) {
    PoolSource source;
    for (int i = 0; i < 5; ++i)
        source.files.push_back(test_pool("part" + std::to_string(i)));
    const Pool pool = open_alone(source);
    EXPECT_EQ(pool.num_rows, test_rows);
    const RowReader reader(pool.get("features", "the test"));
    EXPECT_EQ(count_wrong_reads_of_two_threads(reader, 8, launch_of_forking_threads), 0);
}

TEST(RowReader, doubles_keep_what_float32_would_round) {
    const Pool pool = open_alone({{test_pool("bad_range")}});
    const RowReader reader(pool.get("features", "the test"));
    RowReader::Scratch scratch;
    std::vector<double> values(2 * test_columns);
    reader.gather_doubles(std::vector<RowId>{3, 150}, values, scratch);
    EXPECT_EQ(values[1], test_value(3, 1));
    EXPECT_EQ(values[test_columns + 2], 1e300);
}

TEST(RowReader, a_float64_beyond_float32_is_refused_by_name) {
    const Pool pool = open_alone({{test_pool("bad_range")}});
    const RowReader reader(pool.get("features", "the test"));
    RowReader::Scratch scratch;
    std::vector<float> values(test_rows * test_columns);
    EXPECT_THAT(
        message_of(
            [&] {
                reader.read({0, test_rows}, values, scratch);
            },
            ExitCode::bad_data),
        HasSubstr("bad_range.h5: /features[150]: value is beyond the range of float32 (1e+300)"));
}

class IntegerFile : public testing::TestWithParam<std::string> {};

TEST_P(IntegerFile, integers_come_exactly_in_every_form) {
    const Pool pool = open_alone({{test_pool(GetParam())}});
    const RowReader reader(pool.get("features", "the test"));
    RowReader::Scratch scratch;
    const std::vector<RowId> rows = all_rows({0, test_rows});
    std::vector<std::int64_t> integers(test_rows * test_columns);
    std::vector<float> floats(integers.size());
    std::vector<double> doubles(integers.size());
    reader.gather_integers(rows, integers, scratch);
    reader.gather(rows, floats, scratch);
    reader.gather_doubles(rows, doubles, scratch);
    for (std::size_t i = 0; i < integers.size(); ++i) {
        const auto row = static_cast<RowId>(i / test_columns);
        const std::int64_t expected = test_integer(row, static_cast<RowId>(i % test_columns));
        ASSERT_EQ(integers[i], expected);
        ASSERT_EQ(floats[i], static_cast<float>(expected));
        ASSERT_EQ(doubles[i], static_cast<double>(expected));
    }
}

INSTANTIATE_TEST_SUITE_P(Integers, IntegerFile,
                         testing::Values("int_i1", "int_u1", "int_little_i2", "int_big_i2",
                                         "int_little_u2", "int_little_i4", "int_big_u4",
                                         "int_little_i8", "int_big_i8", "int_little_u8"),
                         [](const auto& name) { return name.param; });

TEST(RowReader, ids_of_any_kind_come_as_text) {
    const std::vector<RowId> rows{0, 51, 202};
    RowReader::Scratch scratch;
    for (const char* name : {"ids_fixed", "ids_variable"}) {
        const Pool pool = open_alone({{test_pool(name)}});
        const RowReader reader(pool.get("ids", "the test"));
        EXPECT_THAT(reader.gather_text(rows, scratch), ElementsAre("item 0", "item 51", "Ångström"))
            << name;
    }
    const Pool pool = open_alone({{test_pool("ids_numbers")}});
    const RowReader reader(pool.get("ids", "the test"));
    EXPECT_THAT(reader.gather_text(rows, scratch),
                ElementsAre("9223372036854775708", "9223372036854775759", "9223372036854775910"));
    std::vector<std::int64_t> values(1);
    EXPECT_THAT(
        message_of([&] { reader.gather_integers(std::vector<RowId>{202}, values, scratch); },
                   ExitCode::bad_data),
        HasSubstr("/ids[202]: value is too large (9223372036854775910)"));
}

TEST(RowReader, a_scratch_may_serve_several_readers) {
    const Pool first = open_alone({{test_pool("all_filters")}});
    const Pool second = open_alone({{test_pool("little_f8_filters")}});
    const RowReader reader1(first.get("features", "the test"));
    const RowReader reader2(second.get("features", "the test"));
    RowReader::Scratch scratch;
    std::vector<float> values(test_columns);
    for (RowId row = 0; row < 40; ++row) {
        for (const RowReader* reader : {&reader1, &reader2}) {
            reader->read({row, row + 1}, values, scratch);
            ASSERT_TRUE(rows_are_right(all_rows({row, row + 1}), values)) << row;
        }
    }
}

TEST(RowReader, blocks_fit_the_chunks) {
    const auto block_rows = [](const std::string& name, std::int64_t target_bytes) {
        const Pool pool = open_alone({{test_pool(name)}});
        return RowReader(pool.get("features", "the test")).block_rows(target_bytes);
    };
    constexpr std::int64_t row_bytes = test_columns * 4;
    EXPECT_EQ(block_rows("contiguous", 10 * row_bytes), 10);
    EXPECT_EQ(block_rows("contiguous", 1), 1);
    EXPECT_EQ(block_rows("chunks_7", 30 * row_bytes), 28);
    EXPECT_EQ(block_rows("chunks_64", 30 * row_bytes), 16);  // 22 and 21 do not divide 64
    EXPECT_EQ(block_rows("deflate", 3 * row_bytes), 16);
}

TEST(RowReader, scratch_stays_within_what_was_promised) {
    for (const char* name : {"contiguous", "chunks_7", "all_filters", "little_f2", "big_f8"}) {
        const Pool pool = open_alone({{test_pool(name)}});
        const RowReader reader(pool.get("features", "the test"));
        RowReader::Scratch scratch;
        std::vector<float> values(100 * test_columns);
        reader.read({50, 150}, values, scratch);
        const auto used =
            scratch.raw.capacity() + scratch.inflated.capacity() + scratch.decoded.capacity();
        EXPECT_LE(static_cast<std::int64_t>(used), reader.scratch_bytes(100)) << name;
    }
}

TEST(RowReader, a_file_that_changes_after_opening_is_refused) {
    const std::string copy = test_pool("changing");
    copy_test_file(test_pool("chunks_7"), copy);
    const Pool pool = open_alone({{copy}});
    const RowReader reader(pool.get("features", "the test"));
    std::filesystem::resize_file(copy, std::filesystem::file_size(copy) / 2);
    RowReader::Scratch scratch;
    std::vector<float> values(test_rows * test_columns);
    EXPECT_THAT(message_of(
                    [&] {
                        reader.read({0, test_rows}, values, scratch);
                    },
                    ExitCode::bad_data),
                HasSubstr("changing.h5"));
    EXPECT_THAT(
        message_of([&] { RowReader late(pool.get("features", "the test")); }, ExitCode::bad_data),
        HasSubstr("changing.h5: has changed since it was opened"));
}

TEST(RowReader, damaged_chunks_are_named_by_their_rows) {
    for (const auto& [name, what] :
         {std::pair{"bad_checksum", "fletcher32 checksum does not match"},
          std::pair{"bad_deflate", "deflate data cannot be inflated"}}) {
        const Pool pool = open_alone({{test_pool(name)}});
        const RowReader reader(pool.get("features", "the test"));
        RowReader::Scratch scratch;
        std::vector<float> values(test_columns);
        reader.read({31, 32}, values, scratch);
        EXPECT_TRUE(rows_are_right(all_rows({31, 32}), values));
        for (int i = 0; i < 2; ++i) {  // a failed chunk must not count as decoded
            EXPECT_THAT(message_of(
                            [&] {
                                reader.read({40, 41}, values, scratch);
                            },
                            ExitCode::bad_data),
                        testing::AllOf(HasSubstr("/features[32..47]: "), HasSubstr(what)));
        }
    }
}

TEST(RowReader, every_bit_flip_in_checksummed_chunks_is_found) {
    const std::string copy = test_pool("flipped");
    copy_test_file(test_pool("fletcher32"), copy);
    const Pool pool = open_alone({{copy}});
    const Dataset& dataset = pool.get("features", "the test");
    const RowReader reader(dataset);
    RowReader::Scratch scratch;
    std::vector<float> values(test_columns);
    std::fstream file(copy, std::ios::in | std::ios::out | std::ios::binary);
    const Chunk& chunk = dataset.parts[0].chunks[2];
    int num_missed = 0;
    for (std::int64_t bit = 0; bit < 8 * chunk.stored_bytes; ++bit) {
        const auto flip = [&] {
            file.seekg(chunk.offset + bit / 8);
            const auto byte = static_cast<char>(file.get() ^ (1 << bit % 8));
            file.seekp(chunk.offset + bit / 8);
            file.put(byte).flush();
        };
        flip();
        try {
            reader.read({32, 33}, values, scratch);
            ++num_missed;
        } catch (const Error& error) {
            if (error.code() != ExitCode::bad_data) ++num_missed;
        }
        flip();
    }
    EXPECT_EQ(num_missed, 0);
}

}  // namespace
}  // namespace sluice::pool
