#pragma once

#include "h5/handle.hpp"

#include <cstdint>
#include <string>
#include <type_traits>

namespace sluice::h5 {

/// Number types we write, all little-endian in the file.
enum class StoredType {
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
};

/// Bytes of one element.
std::int64_t stored_bytes(StoredType type);

/// The HDF5 file type; float16 is IEEE binary16 (5 exponent bits, 10 mantissa bits).
Handle make_type(StoredType type);

/// The type that holds a C++ number without conversion. float16 has none: it is written as raw
/// std::uint16_t bit patterns.
template <typename T>
constexpr StoredType stored_type_of() {
    if constexpr (std::is_same_v<T, float>)
        return StoredType::float32;
    else if constexpr (std::is_same_v<T, double>)
        return StoredType::float64;
    else if constexpr (std::is_same_v<T, std::int32_t>)
        return StoredType::int32;
    else if constexpr (std::is_same_v<T, std::int64_t>)
        return StoredType::int64;
    else if constexpr (std::is_same_v<T, std::uint8_t>)
        return StoredType::uint8;
    else if constexpr (std::is_same_v<T, std::uint16_t>)
        return StoredType::uint16;
    else if constexpr (std::is_same_v<T, std::uint32_t>)
        return StoredType::uint32;
    else {
        static_assert(std::is_same_v<T, std::uint64_t>, "no HDF5 type for this C++ type");
        return StoredType::uint64;
    }
}

}  // namespace sluice::h5
