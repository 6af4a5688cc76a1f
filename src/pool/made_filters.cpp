#include "pool/made_filters.hpp"

#include "core/error.hpp"
#include "pool/chunk_decoder.hpp"

#include <libdeflate.h>

#include <memory>

namespace sluice::pool {
namespace {

// Byte k of all elements, then byte k + 1 of all elements, and so on.
std::vector<std::byte> shuffle(std::span<const std::byte> plain, std::size_t element_bytes) {
    std::vector<std::byte> shuffled(plain.size());
    const std::size_t count = plain.size() / element_bytes;
    for (std::size_t k = 0; k < element_bytes; ++k) {
        std::byte* const plane = shuffled.data() + k * count;
        for (std::size_t i = 0; i < count; ++i)
            plane[i] = plain[i * element_bytes + k];
    }
    return shuffled;
}

}  // namespace

std::vector<std::byte> filter_chunk(std::span<const std::byte> plain, std::int64_t element_bytes,
                                    int level) {
    const std::vector<std::byte> shuffled = shuffle(plain, static_cast<std::size_t>(element_bytes));
    const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
        libdeflate_alloc_compressor(level), libdeflate_free_compressor);
    require(compressor != nullptr, ExitCode::internal,
            "out of memory for the compressor; use smaller chunks or fewer ranks");
    std::vector<std::byte> stored(
        libdeflate_zlib_compress_bound(compressor.get(), shuffled.size()) + sizeof(std::uint32_t));
    const std::size_t length =
        libdeflate_zlib_compress(compressor.get(), shuffled.data(), shuffled.size(), stored.data(),
                                 stored.size() - sizeof(std::uint32_t));
    require(length > 0, ExitCode::internal, "a chunk did not fit its compression buffer");
    stored.resize(length);
    const std::uint32_t checksum = fletcher32(stored);
    for (int shift = 0; shift < 32; shift += 8) {
        stored.push_back(static_cast<std::byte>(checksum >> shift & 0xFFU));
    }
    return stored;
}

}  // namespace sluice::pool
