#include "pool/made_store.hpp"

#include "core/error.hpp"

#include <bit>
#include <cstring>

namespace sluice::pool {
namespace {

static_assert(std::endian::native == std::endian::little, "pools are written little-endian");

// Without branches, so that loops over it become vector code.
inline std::uint16_t round_to_half(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
    // Adding just under half a unit, and the lowest kept bit, rounds ties to even.
    const std::uint32_t normal =
        (magnitude + 0xFFFU + ((magnitude >> 13) & 1U) - (112U << 23)) >> 13;
    // 0.5 has the spacing of half's subnormals, so the addition itself rounds to them.
    const std::uint32_t subnormal =
        std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - 0x3F000000U;
    const std::uint32_t special = magnitude > 0x7F800000U ? 0x7E00U : 0x7C00U;
    const std::uint32_t finite = magnitude < 0x38800000U ? subnormal : normal;
    const std::uint32_t half = magnitude >= 0x477FF000U ? special : finite;
    return static_cast<std::uint16_t>(half | ((bits >> 16) & 0x8000U));
}

}  // namespace

std::uint16_t half_of(float value) {
    return round_to_half(value);
}

void store_values(std::span<const float> values, ElementType type, std::vector<std::byte>& out) {
    out.resize(values.size() * static_cast<std::size_t>(element_bytes(type)));
    if (values.empty()) return;
    if (type == ElementType::float32) {
        std::memcpy(out.data(), values.data(), out.size());
    } else if (type == ElementType::float16) {
        auto* const halves = reinterpret_cast<std::uint16_t*>(out.data());
        for (std::size_t i = 0; i < values.size(); ++i)
            halves[i] = round_to_half(values[i]);
    } else if (type == ElementType::float64) {
        auto* const doubles = reinterpret_cast<double*>(out.data());
        for (std::size_t i = 0; i < values.size(); ++i)
            doubles[i] = values[i];
    } else {
        throw Error(ExitCode::internal, "made pools cannot hold " + element_name(type));
    }
}

}  // namespace sluice::pool
