// Reads made datasets as fast as it can: sluice_bench_reader DIRECTORY [GIB]
// Writes its files (about 4 times GIB, 1 by default) into DIRECTORY and removes them.
#include "benchmarks/bench_clock.hpp"
#include "comm/communicator.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "h5/input_file.hpp"
#include "h5/inspect.hpp"
#include "h5/output_file.hpp"
#include "pool/pool.hpp"
#include "pool/row_reader.hpp"

#include <fcntl.h>

#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace sluice::bench {
namespace {

using pool::RowReader;

constexpr std::int64_t dim = 512;
constexpr std::int64_t block_bytes = std::int64_t{4} << 20;
constexpr int num_repeats = 7;

/// A cheap generator of bell-shaped numbers; only speed and entropy matter here.
class Noise {
  public:
    float next() {
        float sum = -2.0F;
        for (int i = 0; i < 4; ++i) {
            state_ ^= state_ << 13;
            state_ ^= state_ >> 7;
            state_ ^= state_ << 17;
            sum += static_cast<float>(state_ >> 40) * 0x1p-24F;
        }
        return sum;
    }

  private:
    std::uint64_t state_ = 88172645463325252ULL;
};

/// Normal binary16 numbers from a float of moderate size, cut off.
std::uint16_t to_half(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto exponent = static_cast<int>(bits >> 23 & 0xFF) - 112;
    if (exponent <= 0) return 0;
    return static_cast<std::uint16_t>(
        (bits >> 16 & 0x8000U) | static_cast<unsigned>(exponent) << 10 | (bits >> 13 & 0x3FFU));
}

template <typename T>
void write_file(const std::string& path, std::int64_t num_rows, h5::StoredType type,
                const h5::DatasetOptions& options) {
    h5::OutputFile file(path);
    h5::OutputDataset dataset = file.create_dataset("features", type, {num_rows, dim}, options);
    const std::int64_t step = options.chunk_rows > 0 ? options.chunk_rows : 2048;
    Noise noise;
    std::vector<T> values(static_cast<std::size_t>(step * dim));
    for (std::int64_t row = 0; row < num_rows; row += step) {
        for (T& value : values) {
            if constexpr (std::is_same_v<T, float>)
                value = noise.next();
            else
                value = to_half(noise.next());
        }
        const std::int64_t rows = std::min(step, num_rows - row);
        dataset.write_rows(row,
                           std::span<const T>(values).first(static_cast<std::size_t>(rows * dim)));
    }
    dataset.close();
    file.close();
    sync_path(path);
}

/// One file opened for both sides of a comparison.
class Case {
  public:
    explicit Case(const std::string& path)
        : path_(path), file_(open_for_reading(path)), pool_(open(path)) {}

    const pool::Dataset& dataset() const { return pool_.get("features", "the benchmark"); }
    std::int64_t num_bytes() const { return dataset().num_rows * dataset().row_bytes(); }

    /// The same bytes as the reader reads, 4 MiB at a time.
    void pread_all() const {
        static std::vector<std::byte> buffer(block_bytes);
        for (std::int64_t done = 0; done < num_bytes(); done += block_bytes) {
            const auto bytes = static_cast<std::size_t>(std::min(block_bytes, num_bytes() - done));
            read_exactly(file_, std::span(buffer).first(bytes),
                         static_cast<std::size_t>(first_byte() + done), path_);
        }
    }

    void read_all(int num_threads) const {
        const RowReader reader(dataset());
        const RowId num_rows = dataset().num_rows;
        const RowId block = reader.block_rows(block_bytes);
        std::atomic<RowId> next{0};
        const auto work = [&] {
            thread_local RowReader::Scratch scratch;
            thread_local std::vector<float> values;
            values.resize(static_cast<std::size_t>(block * dim));
            for (;;) {
                const RowId row = next.fetch_add(block);
                if (row >= num_rows) return;
                const RowRange range{row, std::min(row + block, num_rows)};
                reader.read(range,
                            std::span(values).first(static_cast<std::size_t>(range.size() * dim)),
                            scratch);
            }
        };
        std::vector<std::thread> others;
        for (int i = 1; i < num_threads; ++i)
            others.emplace_back(work);
        work();
        for (std::thread& other : others)
            other.join();
    }

    /// As a stream does it: what comes next is asked for ahead of time.
    void read_ahead() const {
        const RowReader reader(dataset());
        const RowId num_rows = dataset().num_rows;
        const RowId block = reader.block_rows(block_bytes);
        RowReader::Scratch scratch;
        static std::vector<float> values;
        values.resize(static_cast<std::size_t>(block * dim));
        constexpr RowId ahead = 4;
        reader.prefetch({0, std::min(ahead * block, num_rows)});
        for (RowId row = 0; row < num_rows; row += block) {
            const RowId next = std::min(row + ahead * block, num_rows);
            reader.prefetch({next, std::min(next + block, num_rows)});
            const RowRange range{row, std::min(row + block, num_rows)};
            reader.read(range,
                        std::span(values).first(static_cast<std::size_t>(range.size() * dim)),
                        scratch);
        }
    }

    /// The library's own way, in the stored type, 4 MiB or a chunk at a time.
    void library_all() const {
        const h5::Inspector inspector(path_);
        const RowReader reader(dataset());
        const RowId block = reader.block_rows(block_bytes);
        static std::vector<std::byte> buffer;
        buffer.resize(static_cast<std::size_t>(block * dataset().row_bytes()));
        for (RowId row = 0; row < dataset().num_rows; row += block) {
            inspector.read_rows("/features", row, std::min(block, dataset().num_rows - row),
                                buffer.data());
        }
    }

    void evict() const { ::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED); }

  private:
    std::int64_t first_byte() const {
        const pool::FilePart& part = dataset().parts[0];
        return part.chunks.empty() ? part.offset : part.chunks[0].offset;
    }

    static pool::Pool open(const std::string& path) {
        comm::Communicator alone;
        return pool::open_pool({{path}}, alone);
    }

    std::string path_;
    FileDescriptor file_;
    pool::Pool pool_;
};

double rate(std::int64_t bytes, double seconds) {
    return static_cast<double>(bytes) / seconds / 1e9;
}

void report(const std::string& name, const std::string& peer, double peer_rate, double our_rate) {
    std::printf("%s: %s %.3f GB/s, reader %.2f GB/s, ratio %.2f\n", name.c_str(), peer.c_str(),
                peer_rate, our_rate, our_rate / peer_rate);
    std::fflush(stdout);
}

void compare_hot(const std::string& name, const Case& input) {
    const auto medians =
        interleaved_medians({[&] { input.pread_all(); }, [&] { input.read_all(1); }}, num_repeats);
    report(name, "pread", rate(input.num_bytes(), medians[0]), rate(input.num_bytes(), medians[1]));
}

// Evicting is not part of the time, so the turns are measured here.
void compare_cold(const std::string& name, const Case& input) {
    std::vector<double> peer;
    std::vector<double> ours;
    for (int repeat = 0; repeat < num_repeats; ++repeat) {
        input.evict();
        peer.push_back(seconds_of([&] { input.pread_all(); }));
        input.evict();
        ours.push_back(seconds_of([&] { input.read_ahead(); }));
    }
    report(name, "pread", rate(input.num_bytes(), median(peer)),
           rate(input.num_bytes(), median(ours)));
}

void bench_float32(const std::string& directory, std::int64_t num_rows) {
    const std::string path = directory + "/sluice_bench_reader.h5";
    constexpr std::int64_t mib_rows = (std::int64_t{1} << 20) / (dim * 4);
    for (const auto& [name, chunk_rows] :
         {std::pair{"contiguous", std::int64_t{0}}, std::pair{"4 MiB chunks", 4 * mib_rows},
          std::pair{"1 MiB chunks", mib_rows}}) {
        write_file<float>(path, num_rows, h5::StoredType::float32, {.chunk_rows = chunk_rows});
        const Case input(path);
        compare_hot(std::string("R1 ") + name, input);
        compare_cold(std::string("R2 ") + name + ", cold", input);
        std::filesystem::remove(path);
    }
}

void bench_float16(const std::string& directory, std::int64_t num_rows) {
    const std::string path = directory + "/sluice_bench_reader_f16.h5";
    const std::string small_path = directory + "/sluice_bench_reader_f16_small.h5";
    write_file<std::uint16_t>(path, num_rows, h5::StoredType::float16, {});
    const Case input(path);
    compare_hot("R3 float16", input);
    // The library converts so slowly that a small file must do for it.
    const std::int64_t small_rows = std::min<std::int64_t>(num_rows, 16384);
    write_file<std::uint16_t>(small_path, small_rows, h5::StoredType::float16, {});
    const Case small_input(small_path);
    const h5::InputFile library(small_path);
    const auto medians = interleaved_medians(
        {[&] { library.floats("/features"); }, [&] { small_input.read_all(1); }}, 5);
    report("R3 float16 to float32", "H5Dread", rate(small_input.num_bytes(), medians[0]),
           rate(small_input.num_bytes(), medians[1]));
    std::filesystem::remove(path);
    std::filesystem::remove(small_path);
}

void bench_deflate(const std::string& directory, std::int64_t num_rows) {
    const std::string path = directory + "/sluice_bench_reader_deflate.h5";
    write_file<float>(path, num_rows, h5::StoredType::float32,
                      {.chunk_rows = 512, .shuffle = true, .deflate_level = 1});
    const Case input(path);
    const auto medians = interleaved_medians(
        {[&] { input.library_all(); }, [&] { input.read_all(1); }, [&] { input.read_all(2); }}, 5);
    report("R4 shuffle+deflate, 1 thread", "H5Dread", rate(input.num_bytes(), medians[0]),
           rate(input.num_bytes(), medians[1]));
    report("R4 shuffle+deflate, 2 threads", "H5Dread", rate(input.num_bytes(), medians[0]),
           rate(input.num_bytes(), medians[2]));
    std::filesystem::remove(path);
}

void bench_chunk_table(const std::string& directory) {
    const std::string path = directory + "/sluice_bench_reader_table.h5";
    for (const std::int64_t num_chunks : {250'000, 1'000'000}) {
        {
            h5::OutputFile file(path);
            file.create_dataset("features", h5::StoredType::float32, {num_chunks, 4},
                                {.chunk_rows = 1});
            file.close();
        }
        comm::Communicator alone;
        const double seconds = seconds_of([&] { pool::open_pool({{path}}, alone); });
        std::printf("R5 open and chunk table: %lld chunks, %.2f s\n",
                    static_cast<long long>(num_chunks), seconds);
        std::filesystem::remove(path);
    }
}

void run(const std::string& directory, double gib) {
    const auto num_rows = static_cast<std::int64_t>(gib * static_cast<double>(1 << 30)) / (dim * 4);
    bench_float32(directory, num_rows);
    bench_float16(directory, num_rows);
    bench_deflate(directory, num_rows / 4);
    bench_chunk_table(directory);
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s DIRECTORY [GIB]\n", argv[0]);
        return 64;
    }
    try {
        sluice::bench::run(argv[1], argc > 2 ? std::atof(argv[2]) : 1.0);
    } catch (const sluice::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return static_cast<int>(error.code());
    }
    return 0;
}
