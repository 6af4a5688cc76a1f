#include "select/scores/pool_sample.hpp"

#include "core/philox.hpp"

#include <algorithm>
#include <span>

namespace sluice::select {
namespace {

std::vector<RowId> rows_of_sample(RowId num_rows, std::uint64_t seed) {
    const std::int64_t count = std::min(num_rows, sample_rows);
    std::vector<RowId> rows;
    for (std::int64_t i = 0; i < count; ++i) {
        const RowId begin = num_rows / count * i + std::min(i, num_rows % count);
        const RowId size = num_rows / count + (i < num_rows % count ? 1 : 0);
        const auto words =
            random_words(seed, RandomPurpose::density_sample, 0, static_cast<std::uint64_t>(i), 0);
        const auto place = std::uint64_t{words.word[0]} << 32 | words.word[1];
        rows.push_back(begin + static_cast<RowId>(place % static_cast<std::uint64_t>(size)));
    }
    return rows;
}

}  // namespace

PoolSample read_pool_sample(const ScorePreparation& from) {
    const std::vector<RowId> rows = rows_of_sample(from.features.num_rows(), from.seed);
    const auto dim = static_cast<std::size_t>(from.features.dim());
    std::vector<float> values(rows.size() * dim);
    from.world.agree([&] { from.features.gather(rows, values); });
    PoolSample sample;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto row = std::span(values).subspan(i * dim, dim);
        if (!is_usable(row)) continue;
        sample.rows.push_back(rows[i]);
        sample.features.insert(sample.features.end(), row.begin(), row.end());
    }
    return sample;
}

}  // namespace sluice::select
