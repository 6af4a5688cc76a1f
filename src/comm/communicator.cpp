#include "comm/communicator.hpp"

#include "comm/state.hpp"

#include <mpi.h>

#include <algorithm>
#include <exception>
#include <limits>

namespace sluice::comm {
namespace {

void check(int result, const char* call) {
    if (result == MPI_SUCCESS) return;
    char text[MPI_MAX_ERROR_STRING];
    int length = 0;
    MPI_Error_string(result, text, &length);
    throw Error(ExitCode::internal, std::string(call) + ": " + std::string(text, length));
}

int int_count(std::size_t count) {
    require(count <= static_cast<std::size_t>(std::numeric_limits<int>::max()), ExitCode::internal,
            "MPI count does not fit an int: " + std::to_string(count));
    return static_cast<int>(count);
}

// Exclusive prefix sums of sizes: where each rank's bytes begin.
std::vector<std::size_t> offsets_of(const std::vector<std::size_t>& sizes) {
    std::vector<std::size_t> offsets(sizes.size() + 1, 0);
    for (std::size_t i = 0; i < sizes.size(); ++i)
        offsets[i + 1] = offsets[i] + sizes[i];
    return offsets;
}

}  // namespace

Communicator::Communicator() : state_(std::make_unique<State>()) {}
Communicator::Communicator(std::unique_ptr<State> state) : state_(std::move(state)) {}
Communicator::~Communicator() = default;
Communicator::Communicator(Communicator&&) noexcept = default;
Communicator& Communicator::operator=(Communicator&&) noexcept = default;

int Communicator::rank() const {
    return state_->rank;
}
int Communicator::size() const {
    return state_->size;
}
int Communicator::local_rank() const {
    return state_->local_rank;
}
int Communicator::local_size() const {
    return state_->local_size;
}
const Traffic& Communicator::traffic() const {
    return state_->traffic;
}

void Communicator::barrier() {
    if (size() == 1) return;
    const InCall in_call(*state_);
    state_->count(0, 0);
    check(MPI_Barrier(state_->handle), "MPI_Barrier");
}

namespace {

template <typename T>
MPI_Datatype datatype_of();
template <>
MPI_Datatype datatype_of<std::int64_t>() {
    return MPI_INT64_T;
}
template <>
MPI_Datatype datatype_of<double>() {
    return MPI_DOUBLE;
}

template <typename State, typename T>
void all_reduce(State& state, std::span<T> values, MPI_Op operation) {
    if (state.size == 1) return;
    for (std::size_t begin = 0; begin < values.size(); begin += state.max_count) {
        const std::size_t count = std::min(state.max_count, values.size() - begin);
        state.count(count * sizeof(T), count * sizeof(T));
        check(MPI_Allreduce(MPI_IN_PLACE, values.data() + begin, int_count(count), datatype_of<T>(),
                            operation, state.handle),
              "MPI_Allreduce");
    }
}

}  // namespace

void Communicator::sum(std::span<std::int64_t> values) {
    const InCall in_call(*state_);
    all_reduce(*state_, values, MPI_SUM);
}

std::int64_t Communicator::sum(std::int64_t value) {
    sum(std::span(&value, 1));
    return value;
}

void Communicator::max(std::span<std::int64_t> values) {
    const InCall in_call(*state_);
    all_reduce(*state_, values, MPI_MAX);
}

std::int64_t Communicator::max(std::int64_t value) {
    max(std::span(&value, 1));
    return value;
}

std::int64_t Communicator::min(std::int64_t value) {
    const InCall in_call(*state_);
    all_reduce(*state_, std::span(&value, 1), MPI_MIN);
    return value;
}

double Communicator::max(double value) {
    const InCall in_call(*state_);
    all_reduce(*state_, std::span(&value, 1), MPI_MAX);
    return value;
}

std::int64_t Communicator::exclusive_sum(std::int64_t value) {
    if (size() == 1) return 0;
    const InCall in_call(*state_);
    std::int64_t result = 0;
    state_->count(sizeof value, sizeof value);
    check(MPI_Exscan(&value, &result, 1, MPI_INT64_T, MPI_SUM, state_->handle), "MPI_Exscan");
    return rank() == 0 ? 0 : result;  // MPI leaves rank 0's result undefined
}

void Communicator::broadcast(std::string& bytes, int root) {
    if (size() == 1) return;
    const InCall in_call(*state_);
    std::int64_t length = rank() == root ? static_cast<std::int64_t>(bytes.size()) : 0;
    state_->count(0, 0);
    check(MPI_Bcast(&length, 1, MPI_INT64_T, root, state_->handle), "MPI_Bcast");
    bytes.resize(static_cast<std::size_t>(length));
    for (std::size_t begin = 0; begin < bytes.size(); begin += state_->max_count) {
        const std::size_t count = std::min(state_->max_count, bytes.size() - begin);
        state_->count(rank() == root ? count : 0, rank() == root ? 0 : count);
        check(MPI_Bcast(bytes.data() + begin, int_count(count), MPI_BYTE, root, state_->handle),
              "MPI_Bcast");
    }
}

void Communicator::all_gather_into(std::span<const std::byte> mine, std::span<std::byte> all) {
    std::vector<std::size_t> sizes(static_cast<std::size_t>(size()));
    const std::size_t length = mine.size();
    if (size() == 1) {
        require(mine.size() == all.size(), ExitCode::internal, "all_gather_into: size mismatch");
        std::copy(mine.begin(), mine.end(), all.begin());
        return;
    }
    const InCall in_call(*state_);
    state_->count(0, 0);
    check(MPI_Allgather(&length, sizeof length, MPI_BYTE, sizes.data(), sizeof length, MPI_BYTE,
                        state_->handle),
          "MPI_Allgather");
    const std::vector<std::size_t> offsets = offsets_of(sizes);
    require(offsets.back() == all.size(), ExitCode::internal, "all_gather_into: size mismatch");
    if (all.size() <= state_->max_count) {
        state_->count(mine.size(), all.size());
        std::vector<int> counts(sizes.size());
        std::vector<int> displacements(sizes.size());
        for (std::size_t r = 0; r < sizes.size(); ++r) {
            counts[r] = int_count(sizes[r]);
            displacements[r] = int_count(offsets[r]);
        }
        check(MPI_Allgatherv(mine.data(), counts[static_cast<std::size_t>(rank())], MPI_BYTE,
                             all.data(), counts.data(), displacements.data(), MPI_BYTE,
                             state_->handle),
              "MPI_Allgatherv");
        return;
    }
    for (int root = 0; root < size(); ++root) {  // longer than an int: one broadcast a piece
        const auto r = static_cast<std::size_t>(root);
        std::byte* const part = all.data() + offsets[r];
        if (root == rank()) std::copy(mine.begin(), mine.end(), part);
        for (std::size_t begin = 0; begin < sizes[r]; begin += state_->max_count) {
            const std::size_t count = std::min(state_->max_count, sizes[r] - begin);
            state_->count(root == rank() ? count : 0, root == rank() ? 0 : count);
            check(MPI_Bcast(part + begin, int_count(count), MPI_BYTE, root, state_->handle),
                  "MPI_Bcast");
        }
    }
}

std::vector<std::byte> Communicator::all_gather_bytes(std::span<const std::byte> mine) {
    const std::int64_t total = sum(static_cast<std::int64_t>(mine.size()));
    std::vector<std::byte> all(static_cast<std::size_t>(total));
    all_gather_into(mine, all);
    return all;
}

std::vector<std::byte> Communicator::gather_bytes(std::span<const std::byte> mine) {
    if (size() == 1) return {mine.begin(), mine.end()};
    std::vector<std::span<const std::byte>> parts(static_cast<std::size_t>(size()));
    parts[0] = mine;
    return all_to_all_bytes(parts);
}

std::vector<std::byte> Communicator::all_to_all_bytes(
    const std::vector<std::span<const std::byte>>& parts) {
    if (size() == 1) return {parts.at(0).begin(), parts.at(0).end()};
    const InCall in_call(*state_);
    const std::size_t num_ranks = parts.size();
    std::vector<std::size_t> send_sizes(num_ranks);
    std::vector<std::size_t> receive_sizes(num_ranks);
    for (std::size_t r = 0; r < num_ranks; ++r)
        send_sizes[r] = parts[r].size();
    state_->count(0, 0);
    check(MPI_Alltoall(send_sizes.data(), sizeof(std::size_t), MPI_BYTE, receive_sizes.data(),
                       sizeof(std::size_t), MPI_BYTE, state_->handle),
          "MPI_Alltoall");
    const std::vector<std::size_t> offsets = offsets_of(receive_sizes);
    std::vector<std::byte> received(offsets.back());
    std::vector<MPI_Request> requests;
    const auto each_piece = [&](std::size_t length, auto&& post) {
        for (std::size_t begin = 0; begin < length; begin += state_->max_count) {
            requests.emplace_back();
            post(begin, int_count(std::min(state_->max_count, length - begin)), requests.back());
        }
    };
    std::size_t bytes_sent = 0;
    for (std::size_t r = 0; r < num_ranks; ++r) {
        each_piece(receive_sizes[r], [&](std::size_t begin, int count, MPI_Request& request) {
            check(MPI_Irecv(received.data() + offsets[r] + begin, count, MPI_BYTE,
                            static_cast<int>(r), 0, state_->handle, &request),
                  "MPI_Irecv");
        });
    }
    for (std::size_t r = 0; r < num_ranks; ++r) {
        bytes_sent += send_sizes[r];
        each_piece(send_sizes[r], [&](std::size_t begin, int count, MPI_Request& request) {
            check(MPI_Isend(parts[r].data() + begin, count, MPI_BYTE, static_cast<int>(r), 0,
                            state_->handle, &request),
                  "MPI_Isend");
        });
    }
    check(MPI_Waitall(int_count(requests.size()), requests.data(), MPI_STATUSES_IGNORE),
          "MPI_Waitall");
    state_->count(bytes_sent, received.size());
    return received;
}

void Communicator::agree(const std::function<void()>& step) {
    std::int64_t code = 0;
    std::string message;
    try {
        step();
    } catch (const Error& error) {
        code = static_cast<std::int64_t>(error.code());
        message = error.what();
    } catch (const std::bad_alloc&) {
        code = static_cast<std::int64_t>(ExitCode::internal);
        message = "out of memory; lower --memory or use more ranks";
    } catch (const std::exception& error) {
        code = static_cast<std::int64_t>(ExitCode::internal);
        message = error.what();
    }
    if (size() == 1) {
        if (code != 0) throw AgreedError(static_cast<ExitCode>(code), message);
        return;
    }
    const std::int64_t failing = min(code != 0 ? std::int64_t{rank()} : std::int64_t{size()});
    if (failing == size()) return;
    const std::int64_t num_failed = sum(code != 0 ? std::int64_t{1} : std::int64_t{0});
    std::string text = std::to_string(code) + " " + message;
    broadcast(text, static_cast<int>(failing));
    const std::size_t space = text.find(' ');
    const auto agreed_code = static_cast<ExitCode>(std::stoi(text.substr(0, space)));
    const std::string where =
        num_failed == size() ? std::string() : "rank " + std::to_string(failing) + ": ";
    throw AgreedError(agreed_code, where + text.substr(space + 1));
}

}  // namespace sluice::comm
