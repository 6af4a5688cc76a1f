#include "pool/sobol.hpp"

#include "core/error.hpp"
#include "core/philox.hpp"

#include <bit>
#include <string>

namespace sluice::pool {
namespace {

// Number of the table among those of a pool's fixed structure (normal_table, uniform_table).
constexpr std::uint32_t shift_table = 32;

// A primitive polynomial over the integers modulo 2, highest power first, and the first direction
// numbers of one dimension.
struct Generator {
    std::uint32_t polynomial;
    std::uint32_t initial[8];
};

// Joe and Kuo's table new-joe-kuo-6.21201, dimensions 2 to 40; dimension 1 is van der Corput's.
constexpr Generator generators[] = {
    {3, {1}},
    {7, {1, 3}},
    {11, {1, 3, 1}},
    {13, {1, 1, 1}},
    {19, {1, 1, 3, 3}},
    {25, {1, 3, 5, 13}},
    {37, {1, 1, 5, 5, 17}},
    {41, {1, 1, 5, 5, 5}},
    {47, {1, 1, 7, 11, 19}},
    {55, {1, 1, 5, 1, 1}},
    {59, {1, 1, 1, 3, 11}},
    {61, {1, 3, 5, 5, 31}},
    {67, {1, 3, 3, 9, 7, 49}},
    {91, {1, 1, 1, 15, 21, 21}},
    {97, {1, 3, 1, 13, 27, 49}},
    {103, {1, 1, 1, 15, 7, 5}},
    {109, {1, 3, 1, 15, 13, 25}},
    {115, {1, 1, 5, 5, 19, 61}},
    {131, {1, 3, 7, 11, 23, 15, 103}},
    {137, {1, 3, 7, 13, 13, 15, 69}},
    {143, {1, 1, 3, 13, 7, 35, 63}},
    {145, {1, 3, 5, 9, 1, 25, 53}},
    {157, {1, 3, 1, 13, 9, 35, 107}},
    {167, {1, 3, 1, 5, 27, 61, 31}},
    {171, {1, 1, 5, 11, 19, 41, 61}},
    {185, {1, 3, 5, 3, 3, 13, 69}},
    {191, {1, 1, 7, 13, 1, 19, 1}},
    {193, {1, 3, 7, 5, 13, 19, 59}},
    {203, {1, 1, 3, 9, 25, 29, 41}},
    {211, {1, 3, 5, 13, 23, 1, 55}},
    {213, {1, 3, 7, 3, 13, 59, 17}},
    {229, {1, 3, 1, 3, 5, 53, 69}},
    {239, {1, 1, 5, 5, 23, 33, 13}},
    {241, {1, 1, 7, 7, 1, 61, 123}},
    {247, {1, 1, 7, 9, 13, 61, 49}},
    {253, {1, 3, 3, 5, 3, 55, 33}},
    {285, {1, 3, 1, 15, 31, 13, 49, 245}},
    {299, {1, 3, 5, 15, 31, 59, 63, 97}},
    {301, {1, 3, 1, 11, 11, 11, 77, 249}},
};
static_assert(std::size(generators) + 1 == SobolPoints::max_dims);

// Direction k of a dimension as a binary fraction: digit 1 is the highest bit.
std::vector<std::uint64_t> directions_of(std::int64_t dimension, std::size_t count) {
    std::vector<std::uint64_t> fractions(count);
    if (dimension == 0) {
        for (std::size_t k = 0; k < count; ++k)
            fractions[k] = std::uint64_t{1} << (63 - k);
        return fractions;
    }
    const Generator& generator = generators[dimension - 1];
    const auto degree = static_cast<std::size_t>(std::bit_width(generator.polynomial)) - 1;
    for (std::size_t k = 0; k < count; ++k) {
        if (k < degree) {
            fractions[k] = std::uint64_t{generator.initial[k]} << (63 - k);
            continue;
        }
        fractions[k] = fractions[k - degree] ^ (fractions[k - degree] >> degree);
        for (std::size_t i = 1; i < degree; ++i) {
            if ((generator.polynomial >> (degree - i)) & 1U) fractions[k] ^= fractions[k - i];
        }
    }
    return fractions;
}

// The middle of the interval that the first 52 digits name: never 0 or 1.
double fraction(std::uint64_t digits) {
    return (static_cast<double>(digits >> 12) + 0.5) * 0x1p-52;
}

}  // namespace

SobolPoints::SobolPoints(std::int64_t dims, std::uint64_t seed) {
    require(dims >= 1 && dims <= max_dims, ExitCode::internal,
            "no Sobol' points of " + std::to_string(dims) + " dimensions");
    const auto width = static_cast<std::size_t>(dims);
    directions_.resize(num_digits * width);
    for (std::size_t d = 0; d < width; ++d) {
        const auto index = static_cast<std::uint32_t>(d);
        const Philox4 words =
            random_words(seed, RandomPurpose::pool_structure, shift_table, 0, index);
        shifts_.push_back(std::uint64_t{words.word[0]} << 32 | words.word[1]);
        const std::vector<std::uint64_t> own = directions_of(index, num_digits);
        for (std::size_t k = 0; k < num_digits; ++k)
            directions_[k * width + d] = own[k];
    }
}

void SobolPoints::fill(RowRange rows, std::span<double> out) const {
    const std::size_t width = shifts_.size();
    std::vector<std::uint64_t> digits = shifts_;
    const auto flip = [&](int digit) {
        const std::uint64_t* const direction =
            directions_.data() + static_cast<std::size_t>(digit) * width;
        for (std::size_t d = 0; d < width; ++d)
            digits[d] ^= direction[d];
    };
    auto row = static_cast<std::uint64_t>(rows.begin);
    for (std::uint64_t code = row ^ (row >> 1); code != 0; code &= code - 1)
        flip(std::countr_zero(code));
    double* point = out.data();
    for (RowId left = rows.size(); left > 0; --left, point += width) {
        for (std::size_t d = 0; d < width; ++d)
            point[d] = fraction(digits[d]);
        flip(std::countr_zero(++row));  // consecutive Gray codes differ in this digit alone
    }
}

}  // namespace sluice::pool
