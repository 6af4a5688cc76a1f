#pragma once

#include "core/error.hpp"
#include "pool/dataset.hpp"
#include "pool/pool.hpp"

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace sluice::pool {

/// Packs metadata into bytes, to send it to a process of the same program.
class Packer {
  public:
    static constexpr bool packs = true;
    void raw(const void* data, std::size_t size) {
        bytes_.append(static_cast<const char*>(data), size);
    }
    std::string take() { return std::move(bytes_); }

  private:
    std::string bytes_;
};

/// Unpacks what a Packer packed; throws Error(internal) if the bytes end too early.
class Unpacker {
  public:
    static constexpr bool packs = false;
    explicit Unpacker(std::string_view bytes) : bytes_(bytes) {}
    void raw(void* data, std::size_t size) {
        require(size <= bytes_.size(), ExitCode::internal, "pool metadata ends too early");
        if (size > 0) std::memcpy(data, bytes_.data(), size);
        bytes_.remove_prefix(size);
    }

  private:
    std::string_view bytes_;
};

template <typename Archive, typename T>
requires std::is_trivially_copyable_v<T>
void transfer(Archive& archive, T& value) {
    archive.raw(&value, sizeof value);
}

/// Element count of a sequence, which is resized when unpacking.
template <typename Archive, typename Sequence>
void transfer_size(Archive& archive, Sequence& sequence) {
    auto size = static_cast<std::uint64_t>(sequence.size());
    transfer(archive, size);
    if constexpr (!Archive::packs) sequence.resize(size);
}

template <typename Archive>
void transfer(Archive& archive, std::string& text) {
    transfer_size(archive, text);
    archive.raw(text.data(), text.size());
}

template <typename Archive, typename T>
void transfer(Archive& archive, std::vector<T>& values) {
    transfer_size(archive, values);
    if constexpr (std::is_trivially_copyable_v<T>) {
        archive.raw(values.data(), values.size() * sizeof(T));
    } else {
        for (T& value : values)
            transfer(archive, value);
    }
}

template <typename Archive, typename T>
void transfer(Archive& archive, std::map<std::string, T>& entries) {
    std::vector<std::string> keys;
    for (const auto& entry : entries)
        keys.push_back(entry.first);
    transfer(archive, keys);
    for (const std::string& key : keys)
        transfer(archive, entries[key]);
}

template <typename Archive>
void transfer(Archive& archive, FilePart& part) {
    transfer(archive, part.path);
    transfer(archive, part.rows);
    transfer(archive, part.layout);
    transfer(archive, part.offset);
    transfer(archive, part.chunk_rows);
    transfer(archive, part.filters);
    transfer(archive, part.chunks);
    transfer(archive, part.why_library);
    transfer(archive, part.file_bytes);
    transfer(archive, part.modified_ns);
}

template <typename Archive>
void transfer(Archive& archive, Dataset& dataset) {
    transfer(archive, dataset.role);
    transfer(archive, dataset.path);
    transfer(archive, dataset.type);
    transfer(archive, dataset.big_endian);
    transfer(archive, dataset.text_bytes);
    transfer(archive, dataset.row_shape);
    transfer(archive, dataset.num_rows);
    transfer(archive, dataset.parts);
    transfer(archive, dataset.attributes);
}

template <typename Archive>
void transfer(Archive& archive, PoolSource& source) {
    transfer(archive, source.files);
    transfer(archive, source.datasets);
    transfer(archive, source.optional_datasets);
}

template <typename Archive>
void transfer(Archive& archive, Pool& pool) {
    transfer(archive, pool.source);
    transfer(archive, pool.num_rows);
    transfer(archive, pool.datasets);
    transfer(archive, pool.contents);
}

template <typename T>
std::string pack(T value) {
    Packer packer;
    transfer(packer, value);
    return packer.take();
}

template <typename T>
T unpack(std::string_view bytes) {
    T value;
    Unpacker unpacker(bytes);
    transfer(unpacker, value);
    return value;
}

}  // namespace sluice::pool
