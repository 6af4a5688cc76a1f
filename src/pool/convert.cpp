#include "pool/convert.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "pool/convert_half.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

namespace sluice::pool {
namespace {

/// A binary16 bit pattern.
enum class Half : std::uint16_t {};

template <std::size_t Bytes>
using BitsOf = std::conditional_t<
    Bytes == 1, std::uint8_t,
    std::conditional_t<Bytes == 2, std::uint16_t,
                       std::conditional_t<Bytes == 4, std::uint32_t, std::uint64_t>>>;

template <typename Bits>
Bits swapped(Bits bits) {
    if constexpr (sizeof(Bits) == 1)
        return bits;
    else if constexpr (sizeof(Bits) == 2)
        return __builtin_bswap16(bits);
    else if constexpr (sizeof(Bits) == 4)
        return __builtin_bswap32(bits);
    else
        return __builtin_bswap64(bits);
}

template <typename T, std::endian Order>
T load(const std::byte* stored) {
    BitsOf<sizeof(T)> bits = 0;
    std::memcpy(&bits, stored, sizeof bits);
    if constexpr (Order != std::endian::native) bits = swapped(bits);
    return std::bit_cast<T>(bits);
}

template <typename Out, typename T>
Out number(T value) {
    if constexpr (std::is_same_v<T, Half>) {
        return static_cast<Out>(widen_half(static_cast<std::uint16_t>(value)));
    } else {
        return static_cast<Out>(value);
    }
}

// Calls visit with the stored type and byte order as template arguments.
template <std::endian Order, typename Visit>
auto with_type(ElementType type, Visit visit) {
    switch (type) {
        case ElementType::float16:
            return visit.template operator()<Half, Order>();
        case ElementType::float32:
            return visit.template operator()<float, Order>();
        case ElementType::float64:
            return visit.template operator()<double, Order>();
        case ElementType::int8:
            return visit.template operator()<std::int8_t, Order>();
        case ElementType::int16:
            return visit.template operator()<std::int16_t, Order>();
        case ElementType::int32:
            return visit.template operator()<std::int32_t, Order>();
        case ElementType::int64:
            return visit.template operator()<std::int64_t, Order>();
        case ElementType::uint8:
            return visit.template operator()<std::uint8_t, Order>();
        case ElementType::uint16:
            return visit.template operator()<std::uint16_t, Order>();
        case ElementType::uint32:
            return visit.template operator()<std::uint32_t, Order>();
        case ElementType::uint64:
            return visit.template operator()<std::uint64_t, Order>();
        case ElementType::text:
            break;
    }
    throw Error(ExitCode::internal, "text is no number");
}

template <typename Visit>
auto with_format(NumberFormat format, Visit visit) {
    return format.big_endian ? with_type<std::endian::big>(format.type, visit)
                             : with_type<std::endian::little>(format.type, visit);
}

template <typename T, std::endian Order>
bool is_out_of_range(const std::byte* stored) {
    if constexpr (std::is_same_v<T, double>) {
        const auto value = load<T, Order>(stored);
        return std::isfinite(value) && std::isinf(static_cast<float>(value));
    } else {
        return false;
    }
}

}  // namespace

std::optional<std::size_t> to_floats(NumberFormat format, const std::byte* stored,
                                     std::span<float> out) {
    if (format.type == ElementType::float16 && !format.big_endian) {
        widen_half(stored, out);
        return std::nullopt;
    }
    return with_format(format, [&]<typename T, std::endian Order>() -> std::optional<std::size_t> {
        bool suspicious = false;  // looked into only if set, so that the loop stays simple
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i] = number<float>(load<T, Order>(stored + i * sizeof(T)));
            if constexpr (std::is_same_v<T, double>) {
                suspicious |= std::fabs(out[i]) == std::numeric_limits<float>::infinity();
            }
        }
        for (std::size_t i = 0; suspicious && i < out.size(); ++i) {
            if (is_out_of_range<T, Order>(stored + i * sizeof(T))) return i;
        }
        return std::nullopt;
    });
}

void to_doubles(NumberFormat format, const std::byte* stored, std::span<double> out) {
    with_format(format, [&]<typename T, std::endian Order>() {
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = number<double>(load<T, Order>(stored + i * sizeof(T)));
    });
}

std::optional<std::size_t> to_integers(NumberFormat format, const std::byte* stored,
                                       std::span<std::int64_t> out) {
    require(is_integer(format.type), ExitCode::internal, "not an integer type");
    return with_format(format, [&]<typename T, std::endian Order>() -> std::optional<std::size_t> {
        for (std::size_t i = 0; i < out.size(); ++i) {
            if constexpr (std::is_integral_v<T>) {
                const T value = load<T, Order>(stored + i * sizeof(T));
                if (std::cmp_greater(value, std::numeric_limits<std::int64_t>::max())) return i;
                out[i] = static_cast<std::int64_t>(value);
            }
        }
        return std::nullopt;
    });
}

std::string to_text(NumberFormat format, const std::byte* stored) {
    return with_format(format, [&]<typename T, std::endian Order>() -> std::string {
        const T value = load<T, Order>(stored);
        if constexpr (std::is_integral_v<T>)
            return std::to_string(value);
        else if constexpr (std::is_same_v<T, double>)
            return number_text(value);
        else
            return number_text(number<float>(value));
    });
}

bool is_integer(ElementType type) {
    return type >= ElementType::int8 && type <= ElementType::uint64;
}

void swap_byte_order(std::span<std::byte> bytes, std::int64_t element_bytes) {
    const auto step = static_cast<std::size_t>(std::max<std::int64_t>(element_bytes, 1));
    for (std::size_t i = 0; i + step <= bytes.size(); i += step) {
        std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                     bytes.begin() + static_cast<std::ptrdiff_t>(i + step));
    }
}

}  // namespace sluice::pool
