#include "pool/pool.hpp"

#include "core/error.hpp"
#include "test_pools.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <regex>

namespace sluice::pool {
namespace {

using test::copy_test_file;
using test::open_alone;
using test::test_pool;
using test::test_rows;
using test::TestPools;
using testing::ElementsAre;
using testing::HasSubstr;

struct Outcome {
    ExitCode code = ExitCode::done;
    std::string message;
};

Outcome outcome_of(const PoolSource& source) {
    try {
        open_alone(source);
        return {};
    } catch (const Error& error) {
        return {error.code(), error.what()};
    }
}

Outcome outcome_of_file(const std::string& path) {
    return outcome_of({{path}});
}

// One line of the catalogue of bad input: the file, and the essence of the message.
struct BadFile {
    std::string name;
    std::string pattern;
};

void PrintTo(const BadFile& file, std::ostream* out) {
    *out << file.name;
}

class BadFileTest : public testing::TestWithParam<BadFile> {};

TEST_P(BadFileTest, is_refused_in_one_line_that_says_why) {
    const std::string path = test_pool(GetParam().name);
    const Outcome outcome = outcome_of_file(path);
    EXPECT_EQ(outcome.code, ExitCode::bad_data);
    EXPECT_TRUE(std::regex_search(outcome.message, std::regex(GetParam().pattern)))
        << outcome.message;
    EXPECT_THAT(outcome.message, HasSubstr(path + ": "));
    EXPECT_THAT(outcome.message, HasSubstr("; ")) << "what to do is missing";
    EXPECT_EQ(outcome.message.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Catalogue, BadFileTest,
    testing::Values(
        BadFile{"bad_empty", "empty file \\(0 bytes\\)"},
        BadFile{"bad_not_hdf5", "no HDF5 signature"},
        BadFile{"bad_truncated", "truncated \\([0-9,]+ bytes of [0-9,]+\\)"},
        BadFile{"bad_open", "still marked as open for writing"},
        BadFile{"bad_foreign_names",
                "it has /embeddings float32 \\[203,5\\], /group/labels int64 \\[203\\]"},
        BadFile{"bad_group", "/features: is a group"},
        BadFile{"bad_named_type", "/features: is a named type"},
        BadFile{"bad_null", "/features: has the wrong shape .*null dataspace.*expected \\[N,D\\]"},
        BadFile{"bad_scalar", "wrong shape \\(a single value\\); expected \\[N,D\\]"},
        BadFile{"bad_vector", "wrong shape \\(\\[203\\]\\); expected \\[N,D\\]"},
        BadFile{"bad_rank4", "wrong shape \\(\\[2,2,2,2\\]\\); expected \\[N,D\\]"},
        BadFile{"bad_no_columns", "too few dimensions \\(\\[10,0\\]\\)"},
        BadFile{"bad_one_class", "/probabilities: has too few classes .*at least 2"},
        BadFile{"bad_huge", "too many rows \\(\\[4611686018427387904,64\\]\\)"},
        BadFile{"bad_huge_row", "one row is too large \\(\\[4,1099511627776\\]\\)"},
        BadFile{"bad_bool", "\\(enumeration \\(bool in h5py\\)\\); store float16, float32"},
        BadFile{"bad_text", "\\(text\\); store float16, float32, float64"},
        BadFile{"bad_compound", "\\(compound\\); store float16, float32, float64"},
        BadFile{"bad_complex", "\\(compound\\); store"},
        BadFile{"bad_bfloat16", "\\(16-bit float, not IEEE\\); store float16"},
        BadFile{"bad_unallocated",
                "/features\\[32\\]: 1 of 13 chunks were never written \\(first missing row 32\\)"},
        BadFile{"bad_pages", "3600 of 5000 chunks were never written \\(first missing row 900\\)"},
        BadFile{"bad_never_written", "no row was ever written"},
        BadFile{"bad_filter", "needs the filter 'lzf' \\(32000\\).*plug-ins are off"},
        BadFile{"bad_external_storage", "lie in another file \\(/etc/passwd\\)"},
        BadFile{"bad_external_link",
                "link to another file \\(contiguous.h5:/features\\), which is never followed"},
        BadFile{"bad_virtual", "lie in another file \\(contiguous.h5\\)"},
        BadFile{"bad_virtual_source", "virtual dataset without its source \\(gone\\)"},
        BadFile{"bad_loop", "leads back to itself \\(/features -> /other\\)"},
        BadFile{"bad_dangling", "leads nowhere \\(/features -> /gone\\)"},
        BadFile{"bad_huge_attribute", "/inputs@names: attribute is too large"},
        BadFile{"bad_kind", "/probabilities@kind: not known \\(maybe\\\\x1b\\[1m\\)"},
        BadFile{"bad_version", "format_version is not known \\(2\\)"},
        BadFile{"bad_lengths", "/probabilities: has 100 rows, but /features has 203"}),
    [](const auto& file) { return file.param.name; });

TEST(OpenPool, control_characters_of_names_are_never_printed_raw) {
    copy_test_file(TestPools::instance().path("bad_name\x1b[31m.h5"), test_pool("bad_name"));
    EXPECT_THAT(outcome_of_file(test_pool("bad_name")).message,
                HasSubstr("it has /x\\x1b[31m\\x0a float32 [203,5]"));
}

TEST(OpenPool, a_missing_file_is_named_with_its_directory) {
    const std::string path = test_pool("not_there");
    const Outcome outcome = outcome_of_file(path);
    EXPECT_EQ(outcome.code, ExitCode::no_input);
    EXPECT_EQ(outcome.message, path + ": no such file; see what is there with: ls " +
                                   std::filesystem::path(path).parent_path().string());
}

TEST(OpenPool, directories_pipes_and_devices_are_refused_before_opening) {
    const std::string pipe = test_pool("pipe");
    std::filesystem::remove(pipe);
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    for (const std::string& path :
         {TestPools::instance().path(""), pipe, std::string("/dev/null")}) {
        const Outcome outcome = outcome_of_file(path);
        EXPECT_EQ(outcome.code, ExitCode::no_input) << path;
        EXPECT_THAT(outcome.message, HasSubstr("not a regular file"));
    }
}

TEST(OpenPool, a_forbidden_file_is_a_matter_of_permission) {
    const std::string path = test_pool("forbidden");
    copy_test_file(test_pool("contiguous"), path);
    ASSERT_EQ(::chmod(path.c_str(), 0), 0);
    const uid_t user = ::geteuid();
    constexpr uid_t nobody = 65534;  // root may read everything
    ASSERT_EQ(::seteuid(user == 0 ? nobody : user), 0);
    const Outcome outcome = outcome_of_file(path);
    ASSERT_EQ(::seteuid(user), 0);
    EXPECT_EQ(outcome.code, ExitCode::permission);
    EXPECT_THAT(outcome.message, HasSubstr("forbidden.h5: "));
}

TEST(OpenPool, a_writer_s_lock_means_come_back_later) {
    const int writer = ::open(test_pool("contiguous").c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_GE(writer, 0);
    ASSERT_EQ(::flock(writer, LOCK_EX), 0);
    const Outcome locked = outcome_of_file(test_pool("contiguous"));
    EXPECT_EQ(locked.code, ExitCode::try_again);
    EXPECT_THAT(locked.message, HasSubstr("another process holds it open for writing"));
    ::close(writer);
    EXPECT_EQ(outcome_of_file(test_pool("contiguous")).code, ExitCode::done);
}

TEST(OpenPool, a_named_dataset_that_is_missing_lists_what_is_there) {
    const Outcome outcome =
        outcome_of({{test_pool("bad_foreign_names")}, {{"features", "/embedings"}}});
    EXPECT_EQ(outcome.code, ExitCode::bad_data);
    EXPECT_THAT(outcome.message,
                HasSubstr("/embedings: no such dataset; name a dataset that the file has: "
                          "/embeddings float32 [203,5], /group/labels int64 [203]"));
}

TEST(OpenPool, foreign_names_serve_as_roles) {
    const Pool pool = open_alone({{test_pool("bad_foreign_names")},
                                  {{"features", "/embeddings"}, {"groups", "group/labels"}}});
    EXPECT_EQ(pool.get("features", "the test").path, "/embeddings");
    EXPECT_EQ(pool.get("groups", "the test").type, ElementType::int64);
}

TEST(OpenPool, files_must_agree) {
    const auto message = [](const std::string& second) {
        return outcome_of({{test_pool("contiguous"), test_pool(second)}}).message;
    };
    EXPECT_THAT(message("bad_width"), HasSubstr("bad_width.h5: /features: its row shape ([4]) "
                                                "differs from that in "));
    EXPECT_THAT(message("bad_type"), HasSubstr("its type (float64) differs"));
    EXPECT_THAT(message("committee"), HasSubstr("committee.h5: /features: no such dataset, but "));
    EXPECT_THAT(message("columns"), HasSubstr("/columns/energy: not in the files before it"));
}

TEST(OpenPool, no_rows_are_legal) {
    for (const char* name : {"zero_rows", "zero_rows_chunked"}) {
        const Pool pool = open_alone({{test_pool(name)}});
        EXPECT_EQ(pool.num_rows, 0);
        comm::Communicator alone;
        EXPECT_EQ(fingerprint(pool, alone).size(), 64U);
    }
    const Pool both =
        open_alone({{test_pool("zero_rows"), test_pool("contiguous"), test_pool("zero_rows")}});
    EXPECT_EQ(both.num_rows, test_rows);
}

TEST(OpenPool, attributes_and_columns_are_described) {
    const Pool pool = open_alone({{test_pool("columns")}});
    const Dataset& features = pool.get("features", "the test");
    EXPECT_THAT(features.attributes.at("names"), ElementsAre("x0", "x1", "x2", "x3", "x4"));
    EXPECT_THAT(features.attributes.at("units"), ElementsAre("nm", "nm", "nm", "nm", "nm"));
    EXPECT_NE(pool.find("columns/energy"), nullptr);
    EXPECT_EQ(pool.find("columns/odd"), nullptr);  // a compound: left out with a warning
    EXPECT_TRUE(open_alone({{test_pool("logits")}}).get("probabilities", "").is_logit());
    EXPECT_THAT(open_alone({{test_pool("committee")}}).get("committee", "").row_shape,
                ElementsAre(3, 4));
}

TEST(Pool, an_absent_role_says_who_needs_it_and_what_there_is) {
    const Pool pool = open_alone({{test_pool("columns")}});
    try {
        pool.get("committee", "score 'bald'");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::bad_data);
        EXPECT_THAT(error.what(),
                    HasSubstr("/committee: no such dataset, but score 'bald' needs it; the file "
                              "has /columns/energy float64 [203]"));
    }
}

std::string fingerprint_of(const PoolSource& source) {
    comm::Communicator alone;
    return fingerprint(open_alone(source), alone);
}

TEST(Fingerprint, depends_on_the_numbers_and_not_on_how_they_are_stored) {
    const std::string expected = fingerprint_of({{test_pool("contiguous")}});
    for (const char* name : {"chunks_7", "all_filters", "latest_filters", "user_block", "big_f4",
                             "chunks_of_columns", "soft_link"}) {
        EXPECT_EQ(fingerprint_of({{test_pool(name)}}), expected) << name;
    }
    PoolSource parts;
    for (int i = 0; i < 5; ++i)
        parts.files.push_back(test_pool("part" + std::to_string(i)));
    EXPECT_EQ(fingerprint_of(parts), expected);
    EXPECT_NE(fingerprint_of({{test_pool("bad_type")}}), expected);
    EXPECT_NE(fingerprint_of({{test_pool("part0")}}), expected);
    std::swap(parts.files[0], parts.files[1]);
    EXPECT_NE(fingerprint_of(parts), expected);
}

TEST(Fingerprint, speaks_of_the_kind_and_of_text) {
    EXPECT_EQ(fingerprint_of({{test_pool("ids_fixed")}}),
              fingerprint_of({{test_pool("ids_variable")}}));
    EXPECT_NE(fingerprint_of({{test_pool("logits")}}),
              fingerprint_of({{test_pool("contiguous")}, {{"probabilities", "/features"}}}));
}

}  // namespace
}  // namespace sluice::pool
