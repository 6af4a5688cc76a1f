#pragma once

#include "core/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace sluice::comm {

/// How many collective calls of MPI this rank has taken part in, and the bytes of their payloads
/// (lengths that travel before them are calls without bytes); for plans and benchmarks.
struct Traffic {
    std::int64_t collectives = 0;
    std::int64_t bytes_sent = 0;
    std::int64_t bytes_received = 0;
    double cpu_seconds = 0.0;  ///< of the calling thread inside these calls, waiting included
};

/// Typed collectives over all ranks of a job. Every member that communicates must be called by
/// all ranks, in the same order (\collective). Buffers may be longer than MPI's int count: they
/// travel in pieces. Throws Error(internal) when MPI reports an error.
class Communicator {
  public:
    /// A communicator of this process alone; never calls MPI. For tests and tools.
    Communicator();
    ~Communicator();
    Communicator(Communicator&&) noexcept;
    Communicator& operator=(Communicator&&) noexcept;

    int rank() const;
    int size() const;
    bool is_root() const { return rank() == 0; }

    /// This rank among the ranks of its node, and how many those are.
    int local_rank() const;
    int local_size() const;

    void barrier();

    /// Overwrites `values` by the element-wise sum over ranks. Integers only: their sum is exact
    /// and the same in any order, a floating-point sum is not.
    void sum(std::span<std::int64_t> values);
    std::int64_t sum(std::int64_t value);

    /// Element-wise maximum or minimum over ranks.
    void max(std::span<std::int64_t> values);
    std::int64_t max(std::int64_t value);
    std::int64_t min(std::int64_t value);
    double max(double value);

    /// Sum of `value` over the ranks below this one (0 on rank 0).
    std::int64_t exclusive_sum(std::int64_t value);

    /// Rank `root`'s bytes on every rank; the others' input is replaced, resized as needed.
    void broadcast(std::string& bytes, int root = 0);

    /// All ranks' elements in rank order, on every rank. T must be trivially copyable.
    template <typename T>
    std::vector<T> all_gather(std::span<const T> mine) {
        static_assert(std::is_trivially_copyable_v<T>);
        const std::vector<std::byte> bytes = all_gather_bytes(std::as_bytes(mine));
        std::vector<T> result(bytes.size() / sizeof(T));
        if (!bytes.empty()) std::memcpy(result.data(), bytes.data(), bytes.size());
        return result;
    }

    /// As all_gather, written to memory the caller owns; `all` must hold exactly the sum of the
    /// ranks' sizes.
    void all_gather_into(std::span<const std::byte> mine, std::span<std::byte> all);

    /// Like all_gather, on rank 0 only; the other ranks get an empty vector.
    template <typename T>
    std::vector<T> gather(std::span<const T> mine) {
        static_assert(std::is_trivially_copyable_v<T>);
        const std::vector<std::byte> bytes = gather_bytes(std::as_bytes(mine));
        std::vector<T> result(bytes.size() / sizeof(T));
        if (!bytes.empty()) std::memcpy(result.data(), bytes.data(), bytes.size());
        return result;
    }

    /// Sends parts[r] to rank r; returns what the ranks sent to this one, in rank order.
    template <typename T>
    std::vector<T> all_to_all(const std::vector<std::vector<T>>& parts) {
        static_assert(std::is_trivially_copyable_v<T>);
        std::vector<std::span<const std::byte>> pieces;
        for (const auto& part : parts)
            pieces.push_back(std::as_bytes(std::span<const T>(part)));
        const std::vector<std::byte> bytes = all_to_all_bytes(pieces);
        std::vector<T> result(bytes.size() / sizeof(T));
        if (!bytes.empty()) std::memcpy(result.data(), bytes.data(), bytes.size());
        return result;
    }

    /// Runs `step`, which may fail on some ranks, and agrees on the outcome: if any rank threw,
    /// every rank throws the error of the lowest failing rank (Error's code kept, another
    /// exception is `internal`), with "rank R: " before the message unless all ranks failed alike.
    /// Put every local step that can fail and that a collective follows into it.
    void agree(const std::function<void()>& step);

    const Traffic& traffic() const;

  private:
    friend class Session;
    struct State;
    class InCall;
    explicit Communicator(std::unique_ptr<State> state);

    std::vector<std::byte> all_gather_bytes(std::span<const std::byte> mine);
    std::vector<std::byte> gather_bytes(std::span<const std::byte> mine);
    std::vector<std::byte> all_to_all_bytes(const std::vector<std::span<const std::byte>>& parts);

    std::unique_ptr<State> state_;
};

/// The error that `Communicator::agree` throws on all ranks: already agreed on, so main lets only
/// rank 0 print it and every rank leaves with its code.
class AgreedError : public Error {
  public:
    using Error::Error;
};

}  // namespace sluice::comm
