#include "core/error.hpp"
#include "pool/pool.hpp"
#include "pool/row_reader.hpp"
#include "test_pools.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <optional>
#include <random>

namespace sluice::pool {
namespace {

using Bytes = std::vector<char>;

Bytes bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const Bytes& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// What opening and reading everything came to: the exit code, or nothing if it succeeded.
std::optional<ExitCode> failure_of(const std::string& path) {
    try {
        const Pool pool = test::open_alone({{path}});
        for (const auto& [role, dataset] : pool.datasets) {
            const RowReader reader(dataset);
            RowReader::Scratch scratch;
            if (dataset.type == ElementType::text) continue;
            constexpr RowId block = 64;
            const RowId rows = std::min<RowId>(dataset.num_rows, 1000);
            if (dataset.row_elements() > (1 << 20)) continue;
            for (RowId row = 0; row < rows; row += block) {
                const RowRange range{row, std::min(row + block, rows)};
                std::vector<float> values(
                    static_cast<std::size_t>(range.size() * dataset.row_elements()));
                reader.read(range, values, scratch);
            }
        }
        return std::nullopt;
    } catch (const Error& error) {
        return error.code();
    }
}

bool is_legal(const std::optional<ExitCode>& failure) {
    return !failure || *failure == ExitCode::bad_data || *failure == ExitCode::no_input;
}

TEST(DamagedFile, truncations_are_always_refused) {
    std::mt19937 random(1);
    const std::string path = test::test_pool("cut");
    for (const char* name : {"contiguous", "all_filters", "latest_filters"}) {
        const Bytes whole = bytes_of(test::test_pool(name));
        for (int i = 0; i < 100; ++i) {
            write(path, Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(
                                                                 random() % whole.size())));
            EXPECT_EQ(failure_of(path), ExitCode::bad_data) << name << " " << i;
        }
    }
}

TEST(DamagedFile, mutations_never_crash_this_process) {
    std::mt19937 random(2);
    const std::string path = test::test_pool("mutated");
    int num_refused = 0;
    for (const char* name :
         {"contiguous", "all_filters", "chunks_7", "latest_filters", "compact"}) {
        const Bytes whole = bytes_of(test::test_pool(name));
        for (int i = 0; i < 100; ++i) {
            Bytes mutated = whole;
            const std::size_t num_bytes = 1 + random() % 4;
            for (std::size_t k = 0; k < num_bytes; ++k) {
                // Half of the hits go to the first kilobytes, where the metadata is.
                const std::size_t range =
                    k % 2 == 0 ? std::min<std::size_t>(2048, whole.size()) : whole.size();
                mutated[random() % range] = static_cast<char>(random());
            }
            write(path, mutated);
            const auto failure = failure_of(path);
            ASSERT_TRUE(is_legal(failure))
                << name << " " << i << ": exit code " << static_cast<int>(*failure);
            if (failure) ++num_refused;
        }
    }
    EXPECT_GT(num_refused, 50);  // the mutations do hit something
}

}  // namespace
}  // namespace sluice::pool
