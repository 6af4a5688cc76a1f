#include "pool/chunk_decoder.hpp"

#include <libdeflate.h>

#include <algorithm>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "core/error.hpp"

namespace sluice::pool {
namespace {

constexpr std::size_t checksum_bytes = 4;

[[noreturn]] void throw_damaged(const ChunkCode& code, const std::string& what) {
    throw Error(ExitCode::bad_data, code.where + ": the chunk that holds this row is damaged (" +
                                        what + "); copy or make the file again");
}

std::uint32_t fold(std::uint32_t sum) {
    return (sum & 0xFFFFU) + (sum >> 16);
}

std::uint32_t little_endian32(const std::byte* bytes) {
    std::uint32_t value = 0;
    for (int i = 3; i >= 0; --i)
        value = (value << 8) | std::to_integer<std::uint32_t>(bytes[i]);
    return value;
}

// Releases before HDF5 1.6.3 stored each half with its bytes swapped; the library takes both.
std::uint32_t with_swapped_halves(std::uint32_t sum) {
    return ((sum & 0x00FF00FFU) << 8) | ((sum >> 8) & 0x00FF00FFU);
}

std::span<const std::byte> without_checksum(const ChunkCode& code,
                                            std::span<const std::byte> bytes) {
    if (bytes.size() < checksum_bytes) throw_damaged(code, "shorter than its checksum");
    const auto content = bytes.first(bytes.size() - checksum_bytes);
    const std::uint32_t stored = little_endian32(bytes.data() + content.size());
    const std::uint32_t found = fletcher32(content);
    if (stored != found && stored != with_swapped_halves(found)) {
        throw_damaged(code, "fletcher32 checksum does not match");
    }
    return content;
}

void inflate(const ChunkCode& code, std::span<const std::byte> compressed,
             std::span<std::byte> plain, RowReader::Scratch& scratch) {
    if (!scratch.decompressor) {
        scratch.decompressor = {
            libdeflate_alloc_decompressor(), [](void* decompressor) {
                libdeflate_free_decompressor(static_cast<libdeflate_decompressor*>(decompressor));
            }};
        require(scratch.decompressor != nullptr, ExitCode::internal,
                "no memory for a decompressor");
    }
    const libdeflate_result result = libdeflate_zlib_decompress(
        static_cast<libdeflate_decompressor*>(scratch.decompressor.get()), compressed.data(),
        compressed.size(), plain.data(), plain.size(), nullptr);
    if (result != LIBDEFLATE_SUCCESS) throw_damaged(code, "deflate data cannot be inflated");
}

bool is_applied(const ChunkCode& code, std::size_t index) {
    return (code.skipped_filters >> index & 1U) == 0;
}

// Size of the data before filter `index` was applied: checksums are all that lies in between.
std::size_t bytes_before(const ChunkCode& code, std::size_t index, std::size_t plain_bytes) {
    std::size_t bytes = plain_bytes;
    for (std::size_t i = 0; i < index; ++i) {
        if (code.filters[i] == Filter::fletcher32 && is_applied(code, i)) bytes += checksum_bytes;
    }
    return bytes;
}

// Whether undoing filters below `index` still has to move bytes.
bool moves_below(const ChunkCode& code, std::size_t index) {
    for (std::size_t i = 0; i < index; ++i) {
        if (is_applied(code, i)) return true;
    }
    return false;
}

#if defined(__SSE2__)
__m128i load16(const std::byte* bytes) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}

void store16(std::byte* bytes, __m128i value) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes), value);
}

// 16 elements at a time: byte planes are interleaved pairwise until elements are whole.
// Returns how many elements are done.
std::size_t unshuffle2(const std::byte* from, std::byte* to, std::size_t count) {
    std::size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        const __m128i low = load16(from + i);
        const __m128i high = load16(from + count + i);
        store16(to + 2 * i, _mm_unpacklo_epi8(low, high));
        store16(to + 2 * i + 16, _mm_unpackhi_epi8(low, high));
    }
    return i;
}

std::size_t unshuffle4(const std::byte* from, std::byte* to, std::size_t count) {
    std::size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        const __m128i plane0 = load16(from + i);
        const __m128i plane1 = load16(from + count + i);
        const __m128i plane2 = load16(from + 2 * count + i);
        const __m128i plane3 = load16(from + 3 * count + i);
        const __m128i low01 = _mm_unpacklo_epi8(plane0, plane1);
        const __m128i high01 = _mm_unpackhi_epi8(plane0, plane1);
        const __m128i low23 = _mm_unpacklo_epi8(plane2, plane3);
        const __m128i high23 = _mm_unpackhi_epi8(plane2, plane3);
        store16(to + 4 * i, _mm_unpacklo_epi16(low01, low23));
        store16(to + 4 * i + 16, _mm_unpackhi_epi16(low01, low23));
        store16(to + 4 * i + 32, _mm_unpacklo_epi16(high01, high23));
        store16(to + 4 * i + 48, _mm_unpackhi_epi16(high01, high23));
    }
    return i;
}
#endif

}  // namespace

std::uint32_t fletcher32(std::span<const std::byte> bytes) {
    std::uint32_t sum1 = 0;
    std::uint32_t sum2 = 0;
    const std::byte* data = bytes.data();
    for (std::size_t words = bytes.size() / 2; words > 0;) {
        // 360 words are the most that cannot overflow 32 bits.
        std::size_t block = std::min<std::size_t>(words, 360);
        words -= block;
        for (; block > 0; --block, data += 2) {
            sum1 += std::to_integer<std::uint32_t>(data[0]) << 8 |
                    std::to_integer<std::uint32_t>(data[1]);
            sum2 += sum1;
        }
        sum1 = fold(sum1);
        sum2 = fold(sum2);
    }
    if (bytes.size() % 2 != 0) {
        sum1 += std::to_integer<std::uint32_t>(*data) << 8;
        sum2 += sum1;
        sum1 = fold(sum1);
        sum2 = fold(sum2);
    }
    return fold(sum2) << 16 | fold(sum1);
}

void unshuffle(std::span<const std::byte> shuffled, std::span<std::byte> plain,
               std::size_t element_bytes) {
    const std::byte* from = shuffled.data();
    std::byte* to = plain.data();
    const std::size_t count = shuffled.size() / element_bytes;
    std::size_t done = 0;
#if defined(__SSE2__)
    if (element_bytes == 2) done = unshuffle2(from, to, count);
    if (element_bytes == 4) done = unshuffle4(from, to, count);
#endif
    for (std::size_t i = done; i < count; ++i) {
        for (std::size_t k = 0; k < element_bytes; ++k)
            to[i * element_bytes + k] = from[k * count + i];
    }
    const std::size_t whole = count * element_bytes;
    if (whole < shuffled.size()) std::memcpy(to + whole, from + whole, shuffled.size() - whole);
}

void decode_chunk(const ChunkCode& code, std::span<const std::byte> stored,
                  std::span<std::byte> plain, RowReader::Scratch& scratch) {
    std::span<const std::byte> current = stored;
    std::vector<std::byte> shuffled;  // only for a second move into the same buffer
    for (std::size_t i = code.filters.size(); i > 0; --i) {
        const std::size_t index = i - 1;
        if (!is_applied(code, index)) continue;
        if (code.filters[index] == Filter::fletcher32) {
            current = without_checksum(code, current);
            continue;
        }
        const std::size_t bytes = bytes_before(code, index, plain.size());
        std::span<std::byte> target = plain;
        if (moves_below(code, index)) {
            auto& buffer = current.data() == scratch.inflated.data() ? shuffled : scratch.inflated;
            buffer.resize(bytes);
            target = buffer;
        }
        if (code.filters[index] == Filter::deflate) {
            inflate(code, current, target, scratch);
        } else {
            if (current.size() != target.size()) throw_damaged(code, "wrong size");
            unshuffle(current, target, code.element_bytes);
        }
        current = target;
    }
    if (current.size() != plain.size()) throw_damaged(code, "wrong size");
    if (current.data() != plain.data()) std::memcpy(plain.data(), current.data(), plain.size());
}

}  // namespace sluice::pool
