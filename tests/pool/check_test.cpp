#include "pool/check.hpp"

#include "core/partition.hpp"
#include "h5/output_file.hpp"
#include "made_pools.hpp"
#include "support/expect_error.hpp"
#include "support/shared_directory.hpp"

#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace sluice::pool {
namespace {

using Severity = Finding::Severity;
using test::SharedDirectory;
using test::world;
using ::testing::HasSubstr;

constexpr RowId num_rows = 300;
constexpr std::int64_t width = 5;

// What a test file holds; sound unless a test plants something.
struct Content {
    std::vector<double> features = std::vector<double>(num_rows * width, 1.0);
    std::vector<double> probabilities = std::vector<double>(num_rows * width, 0.2);
    std::vector<std::uint64_t> ids;
    std::vector<std::int64_t> signed_ids;
    std::vector<std::string> text_ids;
    h5::StoredType type = h5::StoredType::float32;
    std::int64_t chunk_rows = 0;
    bool logits = false;

    double& feature(RowId row, std::int64_t column) {
        return features[static_cast<std::size_t>(row * width + column)];
    }
    double& probability(RowId row, std::int64_t column) {
        return probabilities[static_cast<std::size_t>(row * width + column)];
    }
};

void write_matrix(h5::OutputFile& file, const std::string& name, const std::vector<double>& values,
                  const Content& content) {
    h5::DatasetOptions options;
    options.chunk_rows = content.chunk_rows;
    auto dataset = file.create_dataset(name, content.type, {num_rows, width}, options);
    if (content.type == h5::StoredType::float64) {
        dataset.write(std::span<const double>(values));
    } else {
        const std::vector<float> floats(values.begin(), values.end());
        dataset.write(std::span<const float>(floats));
    }
    dataset.close();
}

void write_file(const std::string& path, const Content& content) {
    h5::OutputFile file(path);
    write_matrix(file, "features", content.features, content);
    write_matrix(file, "probabilities", content.probabilities, content);
    if (content.logits) file.set_attribute("probabilities", "kind", std::string("logit"));
    if (!content.ids.empty()) {
        file.write_dataset("ids", std::span<const std::uint64_t>(content.ids), {num_rows});
    }
    if (!content.signed_ids.empty()) {
        file.write_dataset("ids", std::span<const std::int64_t>(content.signed_ids), {num_rows});
    }
    if (!content.text_ids.empty()) {
        file.write_text_dataset("ids", content.text_ids, h5::TextStorage::fixed);
    }
    file.close();
}

std::vector<std::string> messages_of(const CheckReport& report, Severity severity) {
    std::vector<std::string> messages;
    for (const Finding& finding : report.findings) {
        if (finding.severity == severity) messages.push_back(finding.message);
    }
    return messages;
}

// The report of all ranks, after making sure that one rank alone, and more threads, give the same.
CheckReport check_files(const std::vector<std::string>& files) {
    PoolSource source;
    source.files = files;
    const Pool pool = open_pool(source, world());
    CheckReport report = check_pool(pool, 2, world());
    comm::Communicator alone;
    const CheckReport other = check_pool(pool, 1, alone);
    for (const Severity severity : {Severity::error, Severity::advice}) {
        EXPECT_EQ(messages_of(report, severity), messages_of(other, severity));
    }
    EXPECT_EQ(report.bytes_read, other.bytes_read);
    return report;
}

// Checks one file made of `content`.
CheckReport check_content(const Content& content) {
    const SharedDirectory directory;
    world().agree([&] {
        if (world().is_root()) write_file(directory.file("p.h5"), content);
    });
    return check_files({directory.file("p.h5")});
}

void expect_finding(const CheckReport& report, Severity severity, const std::string& part) {
    EXPECT_THAT(messages_of(report, severity), ::testing::Contains(HasSubstr(part)));
}

TEST(CheckPool, made_pools_pass) {
    for (const char* kind : {"gaussian", "blobs", "clusters", "manifold", "sphere"}) {
        for (const ElementType type : {ElementType::float16, ElementType::float32}) {
            const SharedDirectory directory;
            MakeOptions options = full_options(kind, directory.file("p.h5"), 400);
            options.type = type;
            options.classes = 100;
            make_pool(options, world());
            const CheckReport report = check_files({options.path});
            EXPECT_TRUE(report.ok()) << kind;
            EXPECT_TRUE(report.findings.empty()) << kind;
            EXPECT_EQ(report.bytes_read, 400 * (6 + 100 + 300 + 6) * element_bytes(type));
        }
    }
}

// One defect, what it is called and where.
struct Defect {
    std::string message;
    Severity severity;
    std::function<void(Content&, RowId)> plant;
};

const std::vector<Defect> defects = {
    {"value 3 is not finite (nan); ", Severity::error,
     [](Content& c, RowId row) { c.feature(row, 3) = NAN; }},
    {"value 0 is not finite (-inf); ", Severity::error,
     [](Content& c, RowId row) { c.probability(row, 0) = -INFINITY; }},
    {"value 4 is so large that squared distances overflow float32 (1", Severity::error,
     [](Content& c, RowId row) { c.feature(row, 4) = 1e30; }},
    {"the row has no length; ", Severity::advice,
     [](Content& c, RowId row) {
         for (std::int64_t k = 0; k < width; ++k)
             c.feature(row, k) = 0.0;
     }},
    {"value 1 is a negative probability (-0.25); ", Severity::error,
     [](Content& c, RowId row) { c.probability(row, 1) = -0.25; }},
    {"the probabilities do not sum to 1 (0.8); normalise", Severity::error,
     [](Content& c, RowId row) { c.probability(row, 2) = 0.0; }},
    {"the probabilities do not sum to 1 (3.8); if these are logits, store them with attribute "
     "kind=\"logit\"",
     Severity::error, [](Content& c, RowId row) { c.probability(row, 2) = 3.0; }},
    {"the probabilities are all zero; ", Severity::error,
     [](Content& c, RowId row) {
         for (std::int64_t k = 0; k < width; ++k)
             c.probability(row, k) = 0.0;
     }},
};

TEST(CheckPool, names_every_defect_in_every_place) {
    for (const Defect& defect : defects) {
        for (const RowId row : {RowId{0}, RowId{1}, num_rows / 2, num_rows - 1}) {
            for (const std::int64_t chunk_rows : {0, 7}) {
                Content content;
                content.chunk_rows = chunk_rows;
                defect.plant(content, row);
                const CheckReport report = check_content(content);
                const std::string place = "[" + std::to_string(row) + "]: ";
                expect_finding(report, defect.severity, place + defect.message);
                EXPECT_EQ(report.ok(), defect.severity == Severity::advice);
            }
        }
    }
}

TEST(CheckPool, names_the_lowest_row_and_counts_all) {
    Content content;
    for (const RowId row : {RowId{299}, RowId{17}, RowId{120}, RowId{121}}) {
        content.feature(row, 2) = NAN;
    }
    expect_finding(check_content(content), Severity::error,
                   "/features[17]: value 2 is not finite (nan), as in 4 rows; ");
}

TEST(CheckPool, legal_oddities_pass) {
    Content content;
    content.feature(3, 0) = -0.0;
    content.feature(4, 0) = 1e-40;
    content.probability(5, 0) = 0.4;
    content.probability(5, 1) = -0.0;
    EXPECT_TRUE(check_content(content).findings.empty());
    Content logits;
    logits.logits = true;
    logits.probability(7, 1) = -1e4;
    EXPECT_TRUE(check_content(logits).findings.empty());
}

TEST(CheckPool, float64_beyond_float32_is_named) {
    Content content;
    content.type = h5::StoredType::float64;
    content.feature(200, 1) = 1e300;
    content.feature(201, 1) = NAN;
    const CheckReport report = check_content(content);
    expect_finding(report, Severity::error, "/features[200]: value 1 is beyond float32 (1e+300); ");
    expect_finding(report, Severity::error, "/features[201]: value 1 is not finite (nan); ");
}

TEST(CheckPool, members_are_checked_one_by_one) {
    const SharedDirectory directory;
    world().agree([&] {
        if (!world().is_root()) return;
        std::vector<float> committee(num_rows * 3 * 2, 0.5F);
        committee[(20 * 3 + 1) * 2] = 0.7F;
        h5::OutputFile file(directory.file("p.h5"));
        file.write_dataset("committee", std::span<const float>(committee), {num_rows, 3, 2});
        file.close();
    });
    expect_finding(check_files({directory.file("p.h5")}), Severity::error,
                   "/committee[20]: the probabilities of member 1 do not sum to 1 (1.2); ");
}

TEST(CheckPool, ids_that_are_unique_pass) {
    Content ascending;
    Content mixed;
    Content text;
    for (RowId row = 0; row < num_rows; ++row) {
        ascending.ids.push_back(static_cast<std::uint64_t>(row) * 3);
        mixed.signed_ids.push_back((row * 7919) % 100003);
        text.text_ids.push_back("name " + std::to_string(row));
    }
    for (const Content& content : {ascending, mixed, text}) {
        EXPECT_TRUE(check_content(content).findings.empty());
    }
}

TEST(CheckPool, repeated_ids_are_named_with_both_rows) {
    for (const auto& [earlier, later] :
         std::vector<std::pair<RowId, RowId>>{{0, 1}, {0, 299}, {298, 299}, {40, 170}}) {
        Content numbers;
        Content text;
        for (RowId row = 0; row < num_rows; ++row) {
            numbers.ids.push_back(static_cast<std::uint64_t>(row * 7919 % 100003));
            text.text_ids.push_back("name " + std::to_string(row));
        }
        numbers.ids[static_cast<std::size_t>(later)] =
            numbers.ids[static_cast<std::size_t>(earlier)];
        text.text_ids[static_cast<std::size_t>(later)] = "name " + std::to_string(earlier);
        const std::string place = "/ids[" + std::to_string(later) + "]: repeats the id of ";
        for (const Content& content : {numbers, text}) {
            const CheckReport report = check_content(content);
            expect_finding(report, Severity::error, place);
            expect_finding(report, Severity::error, "/ids[" + std::to_string(earlier) + "] (");
            expect_finding(report, Severity::error, "; 1 rows repeat an id");
        }
    }
}

// Every rank's own ids ascend, so only a look across the ranks finds the repeats.
TEST(CheckPool, ids_that_ascend_on_each_rank_may_still_repeat) {
    Content content;
    for (int rank = 0; rank < world().size(); ++rank) {
        const RowRange share = part_of_rows(num_rows, rank, world().size());
        for (RowId row = share.begin; row < share.end; ++row) {
            content.ids.push_back(static_cast<std::uint64_t>(row - share.begin));
        }
    }
    EXPECT_EQ(check_content(content).ok(), world().size() == 1);
}

TEST(CheckPool, ids_that_are_all_alike_are_counted) {
    Content numbers;
    numbers.ids.assign(num_rows, 7);
    Content text;
    text.text_ids.assign(num_rows, "same");
    for (const Content& content : {numbers, text}) {
        const CheckReport report = check_content(content);
        expect_finding(report, Severity::error, "/ids[1]: repeats the id of ");
        expect_finding(report, Severity::error, "; 299 rows repeat an id; make ids unique");
    }
}

TEST(CheckPool, ids_that_cannot_be_held_are_refused) {
    Content negative;
    Content huge;
    Content empty;
    for (RowId row = 0; row < num_rows; ++row) {
        negative.signed_ids.push_back(row);
        huge.ids.push_back(static_cast<std::uint64_t>(row));
        empty.text_ids.push_back(std::to_string(row));
    }
    negative.signed_ids[33] = -5;
    huge.ids[44] = std::uint64_t{1} << 63;
    empty.text_ids[55] = "";
    expect_finding(check_content(negative), Severity::error, "/ids[33]: negative id (-5); ");
    expect_finding(check_content(huge), Severity::error, "/ids[44]");
    expect_finding(check_content(empty), Severity::error, "/ids[55]: empty id; ");
}

TEST(CheckPool, several_files_name_the_row_within_the_file) {
    const SharedDirectory directory;
    std::vector<std::string> files;
    for (const char* name : {"a.h5", "b.h5", "c.h5"})
        files.push_back(directory.file(name));
    world().agree([&] {
        if (!world().is_root()) return;
        for (std::size_t i = 0; i < files.size(); ++i) {
            Content content;
            for (RowId row = 0; row < num_rows; ++row) {
                content.ids.push_back(static_cast<std::uint64_t>(row) + 300 * i);
            }
            if (i == 1) content.feature(12, 0) = NAN;
            if (i == 2) content.ids[9] = 305;
            write_file(files[i], content);
        }
    });
    const CheckReport report = check_files(files);
    expect_finding(report, Severity::error, files[1] + ": /features[12]: ");
    expect_finding(report, Severity::error,
                   files[2] + ": /ids[9]: repeats the id of " + files[1] + ": /ids[5] (305)");
}

TEST(CheckPool, damaged_chunks_are_counted) {
    const SharedDirectory directory;
    MakeOptions options = full_options("gaussian", directory.file("p.h5"), 100);
    options.chunk_rows = 20;
    options.deflate_level = 1;
    make_pool(options, world());
    world().agree([&] {
        if (!world().is_root()) return;
        comm::Communicator alone;
        PoolSource source;
        source.files = {options.path};
        const Pool pool = open_pool(source, alone);
        const Chunk& chunk = pool.get("features", "test").parts[0].chunks[2];
        std::fstream file(options.path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(chunk.offset + chunk.stored_bytes / 2);
        file.write("damage", 6);
    });
    const CheckReport report = check_files({options.path});
    EXPECT_FALSE(report.ok());
    expect_finding(report, Severity::error, "/features[40");
    expect_finding(report, Severity::error, ", as in 20 rows");
    expect_finding(report, Severity::advice, "chunks are filtered");
}

TEST(CheckPool, gives_advice_on_chunks_and_shapes) {
    const SharedDirectory directory;
    MakeOptions options = full_options("blobs", directory.file("p.h5"), 400);
    options.chunk_rows = 100;
    options.members = 1;
    make_pool(options, world());
    const CheckReport report = check_files({options.path});
    EXPECT_TRUE(report.ok());
    expect_finding(report, Severity::advice, "/features: chunks are small (2.3 KiB)");
    expect_finding(report, Severity::advice, "/committee: has one member");
}

TEST(CheckPool, committees_must_have_the_classes_of_the_probabilities) {
    const SharedDirectory directory;
    world().agree([&] {
        if (!world().is_root()) return;
        const std::vector<float> halves(num_rows * 6, 0.5F);
        const std::vector<float> thirds(num_rows * 3, 1.0F / 3.0F);
        h5::OutputFile file(directory.file("p.h5"));
        file.write_dataset("committee", std::span<const float>(halves), {num_rows, 3, 2});
        file.write_dataset("probabilities", std::span<const float>(thirds), {num_rows, 3});
        file.close();
    });
    expect_finding(check_files({directory.file("p.h5")}), Severity::error,
                   "number of classes differs from that of probabilities ([300, 3, 2] and "
                   "[300, 3])");
}

TEST(CheckPool, an_empty_pool_is_no_error) {
    const SharedDirectory directory;
    make_pool(full_options("blobs", directory.file("p.h5"), 0), world());
    const CheckReport report = check_files({directory.file("p.h5")});
    EXPECT_TRUE(report.ok());
    expect_finding(report, Severity::advice, "the pool has no rows");
}

}  // namespace
}  // namespace sluice::pool
