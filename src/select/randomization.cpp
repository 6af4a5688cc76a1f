#include "select/randomization.hpp"

#include "core/error.hpp"
#include "core/philox.hpp"
#include "core/text.hpp"
#include "kernels/canonical_math.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace sluice::select {
namespace {

using Kind = Randomization::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 4> kinds = {{{"none", Kind::none},
                                                                     {"power", Kind::power},
                                                                     {"softmax", Kind::softmax},
                                                                     {"softrank", Kind::softrank}}};

// ln x of any positive float: the canonical one ends at 2^90.
float log_of(float x) {
    constexpr float far = 0x1p60F;
    if (x < far) return kernels::canonical_log(x);
    return kernels::canonical_log(x / far) + 60.0F * kernels::ln2;
}

float bounded(float key) {
    return std::clamp(key, -kernels::largest_float, kernels::largest_float);
}

float key_of(const Randomization& randomization, float score, float noise) {
    const auto scale = static_cast<float>(1.0 / randomization.coldness);
    if (randomization.kind == Kind::softmax || std::isnan(score))
        return std::isnan(score) ? score : bounded(std::fma(noise, scale, score));
    if (score < 0.0F) return kernels::not_a_number;
    if (score == 0.0F) return -kernels::largest_float;
    return bounded(std::fma(noise, scale, log_of(score)));
}

}  // namespace

std::string Randomization::text() const {
    for (const auto& [name, known] : kinds) {
        if (known != kind) continue;
        return std::string(name) + (kind == Kind::none ? "" : ":" + number_text(coldness));
    }
    return {};
}

Randomization parse_randomization(std::string_view text) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    Randomization result;
    const auto found = std::find_if(kinds.begin(), kinds.end(), [&](const auto& kind) {
        return kind.first == text.substr(0, colon);
    });
    require(found != kinds.end(), ExitCode::usage,
            "--randomize: unknown kind (" + printable(text) +
                "); choose none, power, softmax or softrank, as in power:1");
    result.kind = found->second;
    if (colon == text.size()) return result;
    const std::string_view number = text.substr(colon + 1);
    const auto [stop, error] =
        std::from_chars(number.data(), number.data() + number.size(), result.coldness);
    require(result.kind != Kind::none && error == std::errc() &&
                stop == number.data() + number.size() && result.coldness >= 1e-30 &&
                result.coldness <= 1e30,
            ExitCode::usage,
            "--randomize: '" + printable(text) +
                "' has no coldness that is a positive number; write as in power:1");
    return result;
}

float gumbel_noise(std::uint64_t seed, std::uint32_t round, RowId row) {
    const Philox4 words =
        random_words(seed, RandomPurpose::score_noise, round, static_cast<std::uint64_t>(row), 0);
    // The smaller the uniform number, the finer it is: no two rows share the highest noise.
    const double fine =
        (static_cast<double>(words.word[0]) * 0x1p32 + words.word[1] + 0.5) * 0x1p-64;
    const float uniform = std::min(static_cast<float>(fine), 1.0F - 0x1p-24F);
    const float exponential = -kernels::canonical_log_near(1.0F - uniform, -uniform);
    return -kernels::canonical_log(exponential);
}

void perturb_scores(const Randomization& randomization, std::uint64_t seed, std::uint32_t round,
                    RowId first, std::span<float> scores) {
    for (std::size_t i = 0; i < scores.size(); ++i)
        scores[i] = key_of(randomization, scores[i],
                           gumbel_noise(seed, round, first + static_cast<RowId>(i)));
}

float rank_key(double coldness, std::int64_t rank, float noise) {
    const float from_rank = -kernels::canonical_log(static_cast<float>(rank));
    return std::fma(noise, static_cast<float>(1.0 / coldness), from_rank);
}

}  // namespace sluice::select
