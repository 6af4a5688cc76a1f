#include "pool/chunk_decoder.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>
#include <libdeflate.h>

#include <cstring>
#include <random>
#include <string_view>

namespace sluice::pool {
namespace {

using Bytes = std::vector<std::byte>;

Bytes random_bytes(std::size_t count) {
    std::mt19937 random(5);
    Bytes bytes(count);
    for (std::byte& byte : bytes)
        byte = static_cast<std::byte>(random());
    return bytes;
}

Bytes shuffled(const Bytes& plain, std::size_t element) {
    Bytes result = plain;
    const std::size_t count = plain.size() / element;
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t k = 0; k < element; ++k)
            result[k * count + i] = plain[i * element + k];
    }
    return result;
}

Bytes deflated(const Bytes& plain) {
    libdeflate_compressor* compressor = libdeflate_alloc_compressor(1);
    Bytes result(libdeflate_zlib_compress_bound(compressor, plain.size()));
    result.resize(libdeflate_zlib_compress(compressor, plain.data(), plain.size(), result.data(),
                                           result.size()));
    libdeflate_free_compressor(compressor);
    return result;
}

Bytes with_checksum(Bytes bytes) {
    const std::uint32_t sum = fletcher32(bytes);
    for (int i = 0; i < 4; ++i)
        bytes.push_back(static_cast<std::byte>(sum >> (8 * i)));
    return bytes;
}

TEST(Fletcher32, direct_definition_on_every_length) {
    const Bytes bytes = random_bytes(3000);
    for (const std::size_t length : {0UL, 1UL, 2UL, 719UL, 720UL, 721UL, 2999UL, 3000UL}) {
        std::uint64_t sum1 = 0;
        std::uint64_t sum2 = 0;
        for (std::size_t i = 0; i < length; i += 2) {
            const auto high = std::to_integer<std::uint64_t>(bytes[i]) << 8;
            const auto low = i + 1 < length ? std::to_integer<std::uint64_t>(bytes[i + 1]) : 0;
            sum1 = (sum1 + (high | low)) % 65535;
            sum2 = (sum2 + sum1) % 65535;
        }
        const std::uint32_t found = fletcher32(std::span(bytes).first(length));
        EXPECT_EQ((found & 0xFFFF) % 65535, sum1) << length;  // 0 and 65,535 are the same residue
        EXPECT_EQ((found >> 16) % 65535, sum2) << length;
    }
}

TEST(Unshuffle, undoes_the_shuffle_for_all_sizes) {
    for (const std::size_t element : {1UL, 2UL, 3UL, 4UL, 8UL, 16UL}) {
        for (const std::size_t length : {0UL, 5UL, 31UL, 64UL, 100UL, 4096UL, 4099UL}) {
            const Bytes plain = random_bytes(length);
            Bytes found(length);
            unshuffle(shuffled(plain, element), found, element);
            EXPECT_EQ(found, plain) << element << " " << length;
        }
    }
}

// Filters in any order, any of them skipped.
TEST(DecodeChunk, undoes_any_chain) {
    using enum Filter;
    const Bytes plain = random_bytes(4000);
    const std::vector<std::vector<Filter>> chains{{},
                                                  {shuffle},
                                                  {deflate},
                                                  {fletcher32},
                                                  {shuffle, deflate, fletcher32},
                                                  {fletcher32, shuffle, deflate},
                                                  {fletcher32, deflate, fletcher32},
                                                  {deflate, shuffle},
                                                  {shuffle, shuffle, deflate, shuffle}};
    for (const auto& chain : chains) {
        for (std::uint32_t skipped = 0; skipped < 1U << chain.size(); ++skipped) {
            Bytes stored = plain;
            for (std::size_t i = 0; i < chain.size(); ++i) {
                if ((skipped >> i & 1U) != 0) continue;
                if (chain[i] == shuffle) stored = shuffled(stored, 4);
                if (chain[i] == deflate) stored = deflated(stored);
                if (chain[i] == Filter::fletcher32) stored = with_checksum(stored);
            }
            // Bytes behind a deflate have a size of their own: only chains we accept.
            if (chain == std::vector<Filter>{deflate, shuffle} && skipped == 0) continue;
            if (chain.size() == 4 && (skipped & 4U) == 0 && (skipped & 8U) == 0) continue;
            Bytes found(plain.size());
            RowReader::Scratch scratch;
            decode_chunk({chain, skipped, 4, "f: /d[0]"}, stored, found, scratch);
            EXPECT_EQ(found, plain) << chain.size() << " " << skipped;
        }
    }
}

TEST(DecodeChunk, wrong_sizes_are_refused) {
    using enum Filter;
    const Bytes plain = random_bytes(400);
    RowReader::Scratch scratch;
    const auto refuses = [&](const std::vector<Filter>& chain, const Bytes& stored) {
        Bytes found(plain.size() + 4);
        EXPECT_THROW(decode_chunk({chain, 0, 4, "f: /d[0]"}, stored, found, scratch), Error);
    };
    refuses({}, plain);
    refuses({shuffle}, plain);
    refuses({deflate}, deflated(plain));
    refuses({fletcher32}, Bytes(3));
    refuses({deflate}, {});
}

}  // namespace
}  // namespace sluice::pool
