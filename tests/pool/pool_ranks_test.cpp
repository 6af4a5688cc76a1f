#include "core/error.hpp"
#include "pool/pool.hpp"
#include "pool/row_reader.hpp"
#include "support/mpi_main.hpp"
#include "test_pools.hpp"

#include <gtest/gtest.h>

namespace sluice::pool {
namespace {

// Every rank makes its own copies of the files but rank 0's are opened by all.
std::string shared_path(const std::string& name) {
    std::string path = test::test_pool(name);
    sluice::test::world().broadcast(path);
    return path;
}

TEST(OpenPoolOnRanks, every_rank_gets_the_same_pool_and_reads_it) {
    comm::Communicator& world = sluice::test::world();
    const Pool pool = open_pool({{shared_path("all_filters")}}, world);
    const Dataset& dataset = pool.get("features", "the test");
    ASSERT_EQ(dataset.parts[0].chunks.size(), 13U);
    const RowReader reader(dataset);
    RowReader::Scratch scratch;
    const RowId row = 100 + world.rank();
    std::vector<float> values(test::test_columns);
    reader.read({row, row + 1}, values, scratch);
    for (std::int64_t column = 0; column < test::test_columns; ++column) {
        EXPECT_EQ(values[static_cast<std::size_t>(column)],
                  static_cast<float>(test::test_value(row, column)));
    }
    world.barrier();
}

TEST(OpenPoolOnRanks, every_rank_throws_the_same_error) {
    comm::Communicator& world = sluice::test::world();
    const std::string path = shared_path("bad_unallocated");
    try {
        open_pool({{path}}, world);
        ADD_FAILURE() << "no error";
    } catch (const comm::AgreedError& error) {
        EXPECT_EQ(error.code(), ExitCode::bad_data);
        EXPECT_NE(std::string(error.what()).find("never written"), std::string::npos);
    }
    world.barrier();
}

TEST(OpenPoolOnRanks, every_rank_has_the_same_fingerprint) {
    comm::Communicator& world = sluice::test::world();
    const Pool pool = open_pool({{shared_path("contiguous")}}, world);
    const std::string mine = fingerprint(pool, world);
    std::string roots = mine;
    world.broadcast(roots);
    EXPECT_EQ(mine, roots);
    EXPECT_EQ(mine.size(), 64U);
    world.barrier();
}

}  // namespace
}  // namespace sluice::pool
