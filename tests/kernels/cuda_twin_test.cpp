// What the device computes, run on the CPU thread by thread, and the choices made before it runs;
// and, where a device is there, the device against the CPU back end.
#include "kernels/cuda/block_pipeline.hpp"
#include "kernels/cuda/device.hpp"
#include "kernels/cuda/thread_block.hpp"
#include "kernels/device_rows.hpp"
#include "kernels/fast_divide.hpp"
#include "kernels/nearest_center.hpp"
#include "kernels/relax_block.hpp"
#include "kernels/score_staging.hpp"
#include "network_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

namespace sluice::kernels {
namespace {

struct Relaxed {
    std::vector<float> distance;
    std::vector<std::int32_t> center;

    bool operator==(const Relaxed&) const = default;
};

struct RelaxCase {
    std::int64_t rows;
    std::int64_t centers;
    std::int64_t dim;
    std::vector<float> x;
    std::vector<float> c;
    std::vector<std::int64_t> picked;  // every row but each third one, backwards
    Relaxed start;
};

RelaxCase make_case(std::int64_t rows, std::int64_t centers, std::int64_t dim) {
    RelaxCase made{
        rows, centers, dim, random_floats(rows * dim, 41), random_floats(centers * dim, 42),
        {},   {}};
    // Ties: the last centre is the first one once more, and lies on a row.
    std::copy_n(made.c.begin(), dim, made.c.end() - dim);
    std::copy_n(made.c.begin(), dim, made.x.begin());
    for (std::int64_t row = rows - 1; row >= 0; --row)
        if (row % 3 != 1) made.picked.push_back(row);
    made.start.distance.assign(static_cast<std::size_t>(rows),
                               std::numeric_limits<float>::infinity());
    // Some rows have a centre already, as near as can be.
    for (std::size_t row = 4; row < made.start.distance.size(); row += 5)
        made.start.distance[row] = 0.0F;
    made.start.center.assign(static_cast<std::size_t>(rows), -1);
    return made;
}

Relaxed on_the_cpu(const RelaxCase& made) {
    Relaxed result = made.start;
    relax_nearest_of(Backend::cpu, {made.x.data(), made.rows, made.dim}, made.picked,
                     {made.c.data(), made.centers, made.dim}, {result.distance, result.center, 100},
                     1);
    return result;
}

Relaxed on_the_twin(const RelaxCase& made) {
    const auto count = std::ssize(made.picked);
    std::vector<float> distance;
    for (const std::int64_t row : made.picked)
        distance.push_back(made.start.distance[static_cast<std::size_t>(row)]);
    std::vector<std::int32_t> center(made.picked.size(), -1);
    const RelaxTask task{made.x.data(), made.picked.data(), count,           made.dim,
                         made.c.data(), made.centers,       distance.data(), center.data()};
    SerialBlock<RelaxThread, relax_threads> block;
    RelaxShared shared;
    for (std::int64_t index = 0; index * relax_tile < count; ++index) {
        std::fill_n(reinterpret_cast<unsigned char*>(&shared), sizeof shared, 0xff);  // all NaN
        relax_block(block, shared, task, index);
    }
    Relaxed result = made.start;
    for (std::size_t i = 0; i < center.size(); ++i) {
        const auto row = static_cast<std::size_t>(made.picked[i]);
        result.distance[row] = distance[i];
        if (center[i] >= 0) result.center[row] = 100 + center[i];
    }
    return result;
}

const std::vector<RelaxCase>& relax_cases() {
    static const std::vector<RelaxCase> cases = {make_case(1, 1, 1),      make_case(5, 2, 3),
                                                 make_case(200, 129, 7),  make_case(130, 128, 8),
                                                 make_case(300, 300, 20), make_case(129, 5, 33)};
    return cases;
}

TEST(RelaxTwin, gives_the_bits_and_the_centres_of_the_cpu) {
    for (const RelaxCase& made : relax_cases()) {
        SCOPED_TRACE(testing::Message() << made.rows << " x " << made.centers << " x " << made.dim);
        EXPECT_TRUE(on_the_twin(made) == on_the_cpu(made));
    }
}

TEST(CudaRows, give_the_bits_and_the_centres_of_the_cpu) {
    if (cuda::num_devices() == 0) GTEST_SKIP() << "no CUDA device";
    for (const RelaxCase& made : relax_cases()) {
        SCOPED_TRACE(testing::Message() << made.rows << " x " << made.centers << " x " << made.dim);
        Relaxed result = made.start;
        const ResidentRows rows(Backend::cuda, {made.x.data(), made.rows, made.dim});
        for (int again = 0; again < 2; ++again)
            rows.relax_nearest_of(made.picked, {made.c.data(), made.centers, made.dim},
                                  {result.distance, result.center, 100}, 1);
        EXPECT_TRUE(result == on_the_cpu(made));
        Relaxed sent = made.start;
        relax_nearest_of(Backend::cuda, {made.x.data(), made.rows, made.dim}, made.picked,
                         {made.c.data(), made.centers, made.dim}, {sent.distance, sent.center, 100},
                         1);
        EXPECT_TRUE(sent == result);
        std::vector<float> all = made.start.distance;
        std::vector<float> expected = all;
        rows.relax_nearest({made.c.data(), made.centers, made.dim}, all, 1);
        relax_nearest(Backend::cpu, {made.x.data(), made.rows, made.dim},
                      {made.c.data(), made.centers, made.dim}, expected, 1);
        EXPECT_EQ(all, expected);
    }
}

TEST(FastDivideTwin, is_exact_for_all_numbers_below_2_16) {
    for (std::uint32_t divisor = 1; divisor < (1U << 16); divisor += divisor < 600 ? 1 : 997) {
        const FastDivide by(divisor);
        for (std::uint32_t number = 0; number < (1U << 16); ++number) {
            ASSERT_EQ(by.quotient(number), number / divisor) << number << " / " << divisor;
            ASSERT_EQ(by.remainder(number), number % divisor) << number << " / " << divisor;
        }
    }
}

TEST(StagingTwin, turns_rows_over_whatever_their_length) {
    for (const std::uint32_t elements : {1U, 2U, 3U, 4U, 5U, 7U, 50U, 93U})
        for (const std::uint32_t num_rows : {1U, 31U, 128U}) {
            const std::uint32_t count = elements * num_rows;
            std::vector<FloatPack> memory(count / FloatPack::size + 1);
            float* const values = memory.front().at;
            std::iota(values, values + count, 0.0F);
            constexpr std::uint32_t num_threads = 128;
            std::vector<float> tile(elements * (num_threads + 1), -1.0F);
            for (std::uint32_t thread = 0; thread < num_threads; ++thread)
                stage_rows(StagedRows<float>{values, count, elements, num_threads + 1}, thread,
                           num_threads, tile.data());
            for (std::uint32_t e = 0; e < elements; ++e)
                for (std::uint32_t row = 0; row <= num_threads; ++row)
                    ASSERT_EQ(tile[e * (num_threads + 1) + row],
                              row < num_rows ? static_cast<float>(row * elements + e) : -1.0F)
                        << elements << " elements, row " << row;
        }
}

/// Two slots that check what they are asked for: a slot's content must not change before it has
/// been received.
struct RecordedSlots {
    RowRange on_their_way[2];
    std::vector<RowRange> received;
    int most_at_a_time = 0;

    void send(std::size_t slot, RowRange rows) {
        EXPECT_TRUE(on_their_way[slot].empty());
        on_their_way[slot] = rows;
        const int busy = (on_their_way[0].empty() ? 0 : 1) + (on_their_way[1].empty() ? 0 : 1);
        most_at_a_time = std::max(most_at_a_time, busy);
    }
    void receive(std::size_t slot) {
        EXPECT_FALSE(on_their_way[slot].empty());
        received.push_back(std::exchange(on_their_way[slot], {}));
    }
};

TEST(PipelineTwin, receives_every_block_once_in_order_two_at_a_time) {
    for (const std::int64_t rows : {0, 1, 7, 8, 9, 100}) {
        RecordedSlots slots;
        run_blocks({3, 3 + rows}, 8, slots);
        RowId next = 3;
        for (const RowRange& block : slots.received) {
            EXPECT_EQ(block.begin, next);
            EXPECT_TRUE(block.size() == 8 || block.end == 3 + rows);
            next = block.end;
        }
        EXPECT_EQ(next, 3 + rows);
        EXPECT_EQ(slots.most_at_a_time, std::min<std::int64_t>(2, (rows + 7) / 8));
    }
}

TEST(CudaMemory, is_asked_for_in_halves_until_it_fits) {
    std::vector<std::int64_t> asked;
    const auto fits_below = [&](std::int64_t limit) {
        return [&asked, limit](std::int64_t count) {
            asked.push_back(count);
            return count <= limit;
        };
    };
    EXPECT_EQ(cuda::most_that_fits(100, 8, fits_below(30)), 25);
    EXPECT_EQ(asked, (std::vector<std::int64_t>{100, 50, 25}));
    EXPECT_EQ(cuda::most_that_fits(100, 8, fits_below(8)), 8);
    EXPECT_EQ(cuda::most_that_fits(100, 8, fits_below(7)), 0);
    EXPECT_EQ(cuda::most_that_fits(5, 8, fits_below(7)), 5);
    EXPECT_EQ(cuda::most_that_fits(0, 0, fits_below(7)), 0);
}

}  // namespace
}  // namespace sluice::kernels
