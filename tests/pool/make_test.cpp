#include "pool/make.hpp"

#include "h5/input_file.hpp"
#include "made_pools.hpp"
#include "support/expect_error.hpp"
#include "support/shared_directory.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <vector>

namespace sluice::pool {
namespace {

using test::expect_error;
using test::SharedDirectory;
using test::world;

// The files in a directory, temporaries included.
std::size_t num_files(const std::string& directory) {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(directory), {}));
}

struct Format {
    std::string name;
    std::int64_t chunk_rows;
    int deflate_level;
};

const std::vector<Format> formats = {{"contiguous", 0, 0},
                                     {"chunked", 7, 0},
                                     {"one_row", 1, 0},
                                     {"filtered", 10, 1},
                                     {"large_chunk", 1000, 0}};

// Makes the pool with all ranks and compares it to what one rank writes contiguously.
void expect_same_content(const std::string& kind, RowId num_rows, const Format& format) {
    const SharedDirectory directory;
    MakeOptions options = full_options(kind, directory.file("pool.h5"), num_rows);
    options.chunk_rows = format.chunk_rows;
    options.deflate_level = format.deflate_level;
    make_pool(options, world());
    if (!world().is_root()) return;
    comm::Communicator alone;
    make_pool(full_options(kind, directory.file("alone.h5"), num_rows), alone);
    for (const char* role : {"features", "probabilities", "committee", "predictions"}) {
        EXPECT_EQ(values_of(options.path, role), values_of(directory.file("alone.h5"), role))
            << kind << " " << num_rows << " " << format.name << " " << role;
    }
}

TEST(MakePool, content_is_the_same_for_any_ranks_and_layout) {
    for (const Format& format : formats) {
        for (const RowId num_rows : {RowId{1}, RowId{3}, RowId{101}}) {
            expect_same_content("blobs", num_rows, format);
        }
    }
    // Long enough to be written in several blocks, which do not end where chunks do.
    expect_same_content("blobs", 20000, {"long_chunks", 3000, 0});
    for (const char* kind : {"gaussian", "clusters", "manifold", "sphere"}) {
        expect_same_content(kind, 101, formats[1]);
    }
}

TEST(MakePool, inputs_are_the_same_for_any_ranks_and_layout) {
    for (const char* kind : {"water-dimer", "lj-cluster", "amplifier"}) {
        for (const Format& format : formats) {
            const SharedDirectory directory;
            MakeOptions options;
            options.kind = kind;
            options.num_rows = 101;
            options.path = directory.file("alone.h5");
            comm::Communicator alone;
            if (world().is_root()) make_pool(options, alone);
            options.path = directory.file("pool.h5");
            options.chunk_rows = format.chunk_rows;
            options.deflate_level = format.deflate_level;
            make_pool(options, world());
            if (!world().is_root()) continue;
            for (const char* role : {"features", "inputs"}) {
                EXPECT_EQ(values_of(options.path, role),
                          values_of(directory.file("alone.h5"), role))
                    << kind << " " << format.name << " " << role;
            }
        }
    }
}

TEST(MakePool, narrower_and_wider_types_hold_the_same_values) {
    const SharedDirectory directory;
    MakeOptions options = full_options("blobs", "", 50);
    const std::vector<double> expected = made_values(options, "features");
    for (const ElementType type : {ElementType::float16, ElementType::float64}) {
        options.path = directory.file(element_name(type));
        options.type = type;
        make_pool(options, world());
        if (!world().is_root()) continue;
        const std::vector<double> found = values_of(options.path, "features");
        const double step = type == ElementType::float16 ? 0x1p-11 : 0.0;
        for (std::size_t i = 0; i < found.size(); ++i) {
            EXPECT_NEAR(found[i], expected[i], std::fabs(expected[i]) * step + 1e-8 * (step > 0));
        }
    }
}

TEST(MakePool, file_says_what_it_is) {
    const SharedDirectory directory;
    MakeOptions options = full_options("sphere", directory.file("pool.h5"), 20);
    options.logits = true;
    options.seed = ~std::uint64_t{0};
    make_pool(options, world());
    if (!world().is_root()) return;
    const h5::InputFile file(options.path);
    EXPECT_EQ(file.attribute_text("/", "format"), "sluice-pool");
    EXPECT_EQ(file.attribute_integer("/", "format_version"), 1);
    EXPECT_EQ(file.attribute_text("/", "made_kind"), "sphere");
    EXPECT_EQ(file.attribute_text("/", "made_seed"), "18446744073709551615");
    EXPECT_EQ(file.attribute_text("probabilities", "kind"), "logit");
    EXPECT_EQ(file.attribute_text("committee", "kind"), "logit");
    EXPECT_EQ(file.dims("committee"), (std::vector<std::int64_t>{20, 3, 5}));
    EXPECT_EQ(file.dims("predictions"), (std::vector<std::int64_t>{20, 3, 2}));
    EXPECT_FALSE(file.has("ids"));
}

TEST(MakePool, no_rows_are_legal) {
    const SharedDirectory directory;
    for (const Format& format : {Format{"a", 0, 0}, Format{"b", 8, 0}, Format{"c", 8, 1}}) {
        MakeOptions options = full_options("blobs", directory.file(format.name), 0);
        options.chunk_rows = format.chunk_rows;
        options.deflate_level = format.deflate_level;
        make_pool(options, world());
        if (!world().is_root()) continue;
        EXPECT_EQ(h5::InputFile(options.path).dims("features"), (std::vector<std::int64_t>{0, 6}));
    }
}

// --- what goes wrong -----------------------------------------------------------------------------

TEST(MakePool, impossible_options_are_usage_errors) {
    const SharedDirectory directory;
    const auto refused = [&](const std::string& part, auto change) {
        MakeOptions options = full_options("blobs", directory.file("never.h5"), 10);
        change(options);
        expect_error(ExitCode::usage, part, [&] { make_pool(options, world()); });
    };
    refused("did you mean 'blobs'", [](MakeOptions& o) { o.kind = "blob"; });
    refused("kinds: gaussian, blobs", [](MakeOptions& o) { o.kind = "x"; });
    refused("--rows", [](MakeOptions& o) { o.num_rows = -1; });
    refused("--classes 1", [](MakeOptions& o) { o.classes = 1; });
    refused("--chunk-rows", [](MakeOptions& o) { o.deflate_level = 1; });
    refused("--deflate", [](MakeOptions& o) { o.deflate_level = 10, o.chunk_rows = 1; });
    refused("--members", [](MakeOptions& o) { o.members = 0; });
    refused("int32", [](MakeOptions& o) { o.type = ElementType::int32; });
    refused("rows of amplifier have 5 features (--dim 6); leave --dim out",
            [](MakeOptions& o) { o.kind = "amplifier"; });
    refused("--out", [](MakeOptions& o) { o.path = ""; });
    refused("4 GiB", [](MakeOptions& o) { o.num_rows = o.chunk_rows = std::int64_t{1} << 31; });
    refused("nothing to write",
            [](MakeOptions& o) { o.dim = o.classes = o.members = o.outputs = 0; });
    EXPECT_EQ(num_files(directory.path()), 0U);
}

TEST(MakePool, an_existing_file_is_never_replaced) {
    const SharedDirectory directory;
    const MakeOptions options = full_options("blobs", directory.file("pool.h5"), 10);
    make_pool(options, world());
    const auto before = std::filesystem::last_write_time(options.path);
    expect_error(ExitCode::cannot_create, "exists already", [&] { make_pool(options, world()); });
    EXPECT_EQ(std::filesystem::last_write_time(options.path), before);
    EXPECT_EQ(num_files(directory.path()), 1U);
}

TEST(MakePool, a_missing_directory_is_named) {
    const SharedDirectory directory;
    const std::string path = directory.file("none/pool.h5");
    expect_error(ExitCode::cannot_create, path,
                 [&] { make_pool(full_options("blobs", path, 10), world()); });
}

// Makes the pool in a child process whose files cannot grow beyond 100 kB, which stands for the
// full disk; its exit code, and its message in `message_path`.
int exit_code_on_small_disk(const MakeOptions& options, const std::string& message_path) {
    const pid_t child = ::fork();
    if (child == 0) {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit = {100000, 100000};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        try {
            comm::Communicator alone;
            make_pool(options, alone);
            ::_exit(0);
        } catch (const Error& error) {
            std::ofstream(message_path) << error.what();
            ::_exit(static_cast<int>(error.code()));
        }
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(MakePool, nothing_is_left_when_writing_fails) {
    if (!world().is_root()) return;
    const test::TemporaryDirectory directory;
    const test::TemporaryDirectory messages;
    for (const Format& format : {Format{"contiguous", 0, 0}, Format{"filtered", 100, 1}}) {
        MakeOptions options = full_options("blobs", directory.file(format.name), 10000);
        options.chunk_rows = format.chunk_rows;
        options.deflate_level = format.deflate_level;
        EXPECT_EQ(exit_code_on_small_disk(options, messages.file("text")), 74) << format.name;
        std::string message;
        std::getline(std::ifstream(messages.file("text")), message);
        EXPECT_THAT(message, ::testing::HasSubstr(options.path));
        EXPECT_EQ(num_files(directory.path()), 0U);
    }
}

TEST(PoolKinds, lists_every_kind_once) {
    std::vector<std::string> names;
    for (const PoolKind& kind : pool_kinds()) {
        names.push_back(kind.name);
        EXPECT_FALSE(kind.summary.empty());
    }
    EXPECT_EQ(names,
              (std::vector<std::string>{"gaussian", "blobs", "clusters", "manifold", "sphere",
                                        "water-dimer", "lj-cluster", "amplifier"}));
}

}  // namespace
}  // namespace sluice::pool
