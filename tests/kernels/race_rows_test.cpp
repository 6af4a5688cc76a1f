#include "kernels/race_rows.hpp"

#include "core/philox.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <utility>

namespace sluice::kernels {
namespace {

using Place = std::pair<std::int64_t, std::uint32_t>;

std::vector<RowId> some_rows(std::int64_t count) {
    std::vector<RowId> rows;
    std::mt19937_64 generator(1);
    RowId row = 5;
    for (std::int64_t i = 0; i < count; ++i) {
        rows.push_back(row);
        row += 1 + static_cast<RowId>(generator() % (std::uint64_t{1} << (i % 3 == 0 ? 35 : 3)));
    }
    return rows;
}

std::vector<std::uint32_t> some_limits(std::int64_t count) {
    std::vector<std::uint32_t> limits;
    std::mt19937 generator(2);
    for (std::int64_t i = 0; i < count; ++i)
        limits.push_back(i % 5 == 0   ? 0xFFFFFFFFU
                         : i % 5 == 1 ? 0U
                                      : static_cast<std::uint32_t>(generator() >> (i % 8)));
    return limits;
}

// Word by word, by the generator itself.
std::vector<Place> by_definition(const RaceDraws& draws, const std::vector<RowId>& rows,
                                 const std::vector<std::uint32_t>& limits) {
    std::vector<Place> places;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        for (std::uint32_t draw = 0; draw < draws.count; ++draw) {
            const Philox4 words =
                random_words(draws.seed, draws.purpose, draws.round,
                             static_cast<std::uint64_t>(rows[i]), draws.first + draw);
            if (words.word[draws.word] <= limits[i])
                places.emplace_back(static_cast<std::int64_t>(i), draw);
        }
    }
    return places;
}

TEST(RaceRows, are_those_whose_word_is_within_the_limit) {
    for (const std::int64_t count : {0, 1, 7, 16, 33, 9000}) {
        const std::vector<RowId> rows = some_rows(count);
        const std::vector<std::uint32_t> limits = some_limits(count);
        for (const int word : {0, 1}) {
            const RaceDraws draws{
                0x1234567890ABCDEFU, RandomPurpose::cluster_seeds, 7, 0xFFFFFFF0U, 9, word};
            for (const int threads : {1, 2}) {
                std::vector<Place> places;
                for (const EarlyRow& early : early_rows(draws, rows, limits, threads))
                    places.emplace_back(early.row, early.draw);
                std::sort(places.begin(), places.end());
                EXPECT_EQ(places, by_definition(draws, rows, limits)) << count << " " << word;
            }
        }
    }
}

}  // namespace
}  // namespace sluice::kernels
