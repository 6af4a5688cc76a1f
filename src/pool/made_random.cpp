#include "pool/made_random.hpp"

#include "pool/made_math.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::pool {
namespace {

// Random streams are told apart by the generator's `round` word.
constexpr std::uint32_t noise_stream = 0;
constexpr std::uint32_t latent_stream = 1;

// Counters worked on together: the arrays stay in the first-level cache.
constexpr std::int64_t batch_counters = 512;

// One counter of the generator gives four normals: lanes 0 and 1 from its first two words, lanes 2
// and 3 from the others. Kept lane by lane, so that every loop runs over contiguous memory.
struct Batch {
    std::uint64_t row[batch_counters];
    std::uint32_t index[batch_counters];
    std::uint32_t word[4][batch_counters];
    float normal[4][batch_counters];
};

struct Stream {
    std::uint64_t seed;
    RandomPurpose purpose;
    std::uint32_t number;
};

void draw_words(Batch& batch, std::int64_t count, const Stream& stream) {
    for (std::int64_t i = 0; i < count; ++i) {
        const Philox4 words =
            random_words(stream.seed, stream.purpose, stream.number, batch.row[i], batch.index[i]);
        batch.word[0][i] = words.word[0];
        batch.word[1][i] = words.word[1];
        batch.word[2][i] = words.word[2];
        batch.word[3][i] = words.word[3];
    }
}

void turn_into_normals(Batch& batch, std::int64_t count) {
    for (int pair = 0; pair < 4; pair += 2) {
        const std::uint32_t* const first = batch.word[pair];
        const std::uint32_t* const second = batch.word[pair + 1];
        float* const with_cosine = batch.normal[pair];
        float* const with_sine = batch.normal[pair + 1];
        for (std::int64_t i = 0; i < count; ++i) {
            const float radius = std::sqrt(-2.0F * made_log(unit_float(first[i])));
            const SineCosine angle = made_sine_cosine(unit_float(second[i]));
            with_cosine[i] = radius * angle.cosine;
            with_sine[i] = radius * angle.sine;
        }
    }
}

// Row r of `width` values takes `per_row` counters; lane l of counter i is value l * per_row + i.
void scatter(const Batch& batch, std::int64_t first, std::int64_t count, std::int64_t width,
             float* out) {
    const std::int64_t per_row = (width + 3) / 4;
    for (std::int64_t done = 0; done < count;) {
        const std::int64_t row = (first + done) / per_row;
        const std::int64_t begin = (first + done) % per_row;
        const std::int64_t end = std::min(per_row, begin + count - done);
        for (std::int64_t lane = 0; lane < 4; ++lane) {
            const std::int64_t stop = std::min(end, width - lane * per_row);
            if (stop <= begin) break;
            std::copy_n(batch.normal[lane] + done, stop - begin,
                        out + row * width + lane * per_row + begin);
        }
        done += end - begin;
    }
}

void fill_normals(const Stream& stream, RowRange rows, std::int64_t width, std::span<float> out) {
    const std::int64_t per_row = (width + 3) / 4;
    const std::int64_t total = rows.size() * per_row;
    Batch batch;
    std::int64_t row = rows.begin;
    std::int64_t index = 0;
    for (std::int64_t first = 0; first < total; first += batch_counters) {
        const std::int64_t count = std::min(batch_counters, total - first);
        for (std::int64_t i = 0; i < count; ++i) {
            batch.row[i] = static_cast<std::uint64_t>(row);
            batch.index[i] = static_cast<std::uint32_t>(index);
            if (++index == per_row) {
                index = 0;
                ++row;
            }
        }
        draw_words(batch, count, stream);
        turn_into_normals(batch, count);
        scatter(batch, first, count, width, out.data());
    }
}

}  // namespace

void fill_normal_rows(std::uint64_t seed, RowRange rows, std::int64_t dim, std::span<float> out) {
    fill_normals({seed, RandomPurpose::pool_values, noise_stream}, rows, dim, out);
}

std::vector<float> normal_table(std::uint64_t seed, std::uint32_t table, std::int64_t count) {
    std::vector<float> values(static_cast<std::size_t>(count));
    fill_normals({seed, RandomPurpose::pool_structure, table}, {0, 1}, count, values);
    return values;
}

std::vector<float> uniform_table(std::uint64_t seed, std::uint32_t table, std::int64_t count) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i) {
        const Philox4 words = random_words(seed, RandomPurpose::pool_structure, table, 1,
                                           static_cast<std::uint32_t>(i));
        values[i] = unit_float(words.word[0]);
    }
    return values;
}

Philox4 latent_words(std::uint64_t seed, RowId row) {
    return random_words(seed, RandomPurpose::pool_values, latent_stream,
                        static_cast<std::uint64_t>(row), 0);
}

}  // namespace sluice::pool
