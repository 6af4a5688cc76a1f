#include "comm/communicator.hpp"

#include "support/mpi_main.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <new>
#include <numeric>
#include <string>
#include <vector>

namespace sluice::comm {
namespace {

using test::world;

std::vector<std::int64_t> counting(std::int64_t count, std::int64_t first) {
    std::vector<std::int64_t> values(static_cast<std::size_t>(count));
    std::iota(values.begin(), values.end(), first);
    return values;
}

TEST(Communicator, knows_its_rank_and_size) {
    EXPECT_GE(world().rank(), 0);
    EXPECT_LT(world().rank(), world().size());
    EXPECT_EQ(world().is_root(), world().rank() == 0);
    world().barrier();
}

TEST(Communicator, sums_integers_exactly) {
    const std::int64_t ranks = world().size();
    const std::int64_t large = std::numeric_limits<std::int64_t>::max() / 16 + 1;
    EXPECT_EQ(world().sum(large), ranks * large);
    std::vector<std::int64_t> values = counting(100, world().rank());
    world().sum(values);
    for (std::int64_t i = 0; i < 100; ++i) {
        EXPECT_EQ(values[static_cast<std::size_t>(i)], ranks * i + ranks * (ranks - 1) / 2);
    }
}

TEST(Communicator, finds_the_largest_and_smallest) {
    const std::int64_t rank = world().rank();
    const std::int64_t last = world().size() - 1;
    EXPECT_EQ(world().max(rank), last);
    EXPECT_EQ(world().min(rank), 0);
    EXPECT_EQ(world().min(-rank), -last);
    EXPECT_EQ(world().max(-0.5 - static_cast<double>(rank)), -0.5);
    std::vector<std::int64_t> values = {rank, -rank, 7};
    world().max(values);
    EXPECT_EQ(values, (std::vector<std::int64_t>{last, 0, 7}));
    world().max(std::span<std::int64_t>());
}

TEST(Communicator, sums_over_the_ranks_below) {
    const std::int64_t rank = world().rank();
    EXPECT_EQ(world().exclusive_sum(rank + 1), rank * (rank + 1) / 2);
    EXPECT_EQ(world().exclusive_sum(0), 0);
}

TEST(Communicator, broadcasts_bytes_of_any_length_from_any_rank) {
    for (int root = 0; root < world().size(); ++root) {
        for (const std::size_t length : {0UL, 1UL, 7UL, 8UL, 1000UL}) {
            std::string bytes(world().rank() == root ? length : 3, static_cast<char>('a' + root));
            if (length > 0 && world().rank() == root) bytes[length / 2] = '\0';
            std::string expected(length, static_cast<char>('a' + root));
            if (length > 0) expected[length / 2] = '\0';
            world().broadcast(bytes, root);
            EXPECT_EQ(bytes, expected);
        }
    }
}

// Rank r contributes r elements, so that rank 0 contributes none.
std::vector<std::int64_t> everybodys_counts() {
    std::vector<std::int64_t> all;
    for (std::int64_t rank = 0; rank < world().size(); ++rank) {
        for (const std::int64_t value : counting(rank, 100 * rank))
            all.push_back(value);
    }
    return all;
}

TEST(Communicator, gathers_in_rank_order_everywhere) {
    const std::vector<std::int64_t> mine = counting(world().rank(), 100 * world().rank());
    EXPECT_EQ(world().all_gather(std::span<const std::int64_t>(mine)), everybodys_counts());
    EXPECT_TRUE(world().all_gather(std::span<const std::int64_t>()).empty());
}

TEST(Communicator, gathers_on_rank_0_only) {
    const std::vector<std::int64_t> mine = counting(world().rank(), 100 * world().rank());
    const std::vector<std::int64_t> all = world().gather(std::span<const std::int64_t>(mine));
    EXPECT_EQ(all, world().is_root() ? everybodys_counts() : std::vector<std::int64_t>());
}

TEST(Communicator, gathers_into_memory_of_the_caller) {
    const std::vector<std::int64_t> mine = counting(5, 5 * world().rank());
    std::vector<std::int64_t> all(5 * static_cast<std::size_t>(world().size()));
    world().all_gather_into(std::as_bytes(std::span(mine)), std::as_writable_bytes(std::span(all)));
    EXPECT_EQ(all, counting(5 * world().size(), 0));
    all.pop_back();
    EXPECT_THROW(world().all_gather_into(std::as_bytes(std::span(mine)),
                                         std::as_writable_bytes(std::span(all))),
                 Error);
}

TEST(Communicator, sends_each_rank_its_part) {
    const std::int64_t me = world().rank();
    std::vector<std::vector<std::int64_t>> parts(static_cast<std::size_t>(world().size()));
    for (std::int64_t to = 0; to < world().size(); ++to) {
        parts[static_cast<std::size_t>(to)] = counting((me + to) % 4, 1000 * me + 10 * to);
    }
    std::vector<std::int64_t> expected;
    for (std::int64_t from = 0; from < world().size(); ++from) {
        for (const std::int64_t value : counting((from + me) % 4, 1000 * from + 10 * me)) {
            expected.push_back(value);
        }
    }
    EXPECT_EQ(world().all_to_all(parts), expected);
}

TEST(Communicator, sends_structures) {
    struct Pair {
        float score;
        std::int64_t row;
    };
    const std::vector<Pair> mine = {{static_cast<float>(world().rank()), world().rank()}};
    const std::vector<Pair> all = world().all_gather(std::span<const Pair>(mine));
    ASSERT_EQ(all.size(), static_cast<std::size_t>(world().size()));
    for (std::size_t r = 0; r < all.size(); ++r) {
        EXPECT_EQ(all[r].score, static_cast<float>(r));
        EXPECT_EQ(all[r].row, static_cast<std::int64_t>(r));
    }
}

TEST(Communicator, counts_its_traffic) {
    const Traffic before = world().traffic();
    std::string bytes(10, 'x');
    world().broadcast(bytes);
    const Traffic after = world().traffic();
    if (world().size() == 1) {
        EXPECT_EQ(after.collectives, before.collectives);
        return;
    }
    EXPECT_GE(after.collectives - before.collectives, 2);  // the length, then the bytes
    EXPECT_GT(after.cpu_seconds, before.cpu_seconds);
    EXPECT_EQ(after.bytes_sent - before.bytes_sent, world().is_root() ? 10 : 0);
    EXPECT_EQ(after.bytes_received - before.bytes_received, world().is_root() ? 0 : 10);
}

// What agree() throws on this rank.
struct Outcome {
    ExitCode code = ExitCode::done;
    std::string message;
};

Outcome outcome_of(const std::function<void()>& step) {
    try {
        world().agree(step);
    } catch (const AgreedError& error) {
        return {error.code(), error.what()};
    }
    return {};
}

TEST(Agree, passes_when_every_rank_does) {
    int num_calls = 0;
    EXPECT_EQ(outcome_of([&] { ++num_calls; }).code, ExitCode::done);
    EXPECT_EQ(num_calls, 1);
}

TEST(Agree, throws_the_error_of_the_lowest_failing_rank_everywhere) {
    for (int failing = 0; failing < world().size(); ++failing) {
        const Outcome outcome = outcome_of([&] {
            if (world().rank() < failing) return;
            throw Error(ExitCode::bad_data, "f.h5: row " + std::to_string(world().rank()));
        });
        EXPECT_EQ(outcome.code, ExitCode::bad_data);
        const std::string place = "f.h5: row " + std::to_string(failing);
        EXPECT_EQ(outcome.message,
                  failing == 0 ? place : "rank " + std::to_string(failing) + ": " + place);
    }
}

TEST(Agree, names_the_rank_unless_all_failed) {
    const int last = world().size() - 1;
    const Outcome outcome =
        outcome_of([&] { require(world().rank() != last, ExitCode::try_again, "two words"); });
    EXPECT_EQ(outcome.code, ExitCode::try_again);
    EXPECT_EQ(outcome.message,
              last == 0 ? "two words" : "rank " + std::to_string(last) + ": two words");
}

TEST(Agree, calls_any_other_exception_internal) {
    EXPECT_EQ(outcome_of([] { throw std::runtime_error("odd"); }).code, ExitCode::internal);
    const Outcome no_memory = outcome_of([] { throw std::bad_alloc(); });
    EXPECT_EQ(no_memory.code, ExitCode::internal);
    EXPECT_THAT(no_memory.message, ::testing::HasSubstr("--memory"));
}

TEST(Agree, leaves_the_ranks_in_step) {
    outcome_of([&] { require(world().rank() != 0, ExitCode::usage, "x"); });
    EXPECT_EQ(world().sum(1), world().size());
}

TEST(SingleProcess, works_without_mpi) {
    Communicator alone;
    EXPECT_EQ(alone.rank(), 0);
    EXPECT_EQ(alone.size(), 1);
    EXPECT_EQ(alone.sum(std::int64_t{5}), 5);
    EXPECT_EQ(alone.exclusive_sum(5), 0);
    const std::vector<int> mine = {1, 2};
    EXPECT_EQ(alone.all_gather(std::span<const int>(mine)), mine);
    EXPECT_EQ(alone.gather(std::span<const int>(mine)), mine);
    EXPECT_EQ(alone.all_to_all(std::vector<std::vector<int>>{{3, 4}}), (std::vector<int>{3, 4}));
    alone.barrier();
    EXPECT_THROW(alone.agree([] { throw Error(ExitCode::usage, "x"); }), AgreedError);
}

}  // namespace
}  // namespace sluice::comm
