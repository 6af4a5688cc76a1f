#include "pool/made_writer.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/partition.hpp"
#include "core/progress.hpp"
#include "pool/made_file.hpp"
#include "pool/made_filters.hpp"
#include "pool/pool.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace sluice::pool {
namespace {

// Values made at once: enough to write in large pieces, few enough to stay in the cache.
constexpr std::int64_t block_bytes = std::int64_t{1} << 20;
// Chunks that travel to rank 0 in one go.
constexpr std::int64_t batch_bytes = std::int64_t{256} << 20;

std::int64_t bytes_of_row(const MadeRows& rows) {
    std::int64_t bytes = 0;
    for (const MadeDataset& dataset : rows.datasets())
        bytes += dataset.row_bytes;
    return bytes;
}

// --- straight at the addresses -------------------------------------------------------------------

void create_empty(const MadeRows& rows, const MakeOptions& options, const std::string& path) {
    h5::OutputFile file(path);
    for (h5::OutputDataset& dataset : create_datasets(file, rows, options))
        dataset.close();
    file.close();
}

// Writes rows of one dataset where the file has them: one run, or one for each chunk they touch.
void write_at_addresses(const FileDescriptor& file, const FilePart& part, RowRange rows,
                        std::span<const std::byte> bytes) {
    const auto row_bytes = static_cast<std::int64_t>(bytes.size()) / rows.size();
    if (part.layout == Layout::contiguous) {
        const std::int64_t offset = part.offset + rows.begin * row_bytes;
        write_exactly(file, bytes, static_cast<std::size_t>(offset), part.path);
        return;
    }
    require(part.layout == Layout::chunked, ExitCode::internal,
            part.path + ": made pool has an unexpected layout: " + part.why_library);
    for (RowId row = rows.begin; row < rows.end;) {
        const std::int64_t chunk = row / part.chunk_rows;
        const RowId end = std::min(rows.end, (chunk + 1) * part.chunk_rows);
        const std::int64_t offset = part.chunks.at(static_cast<std::size_t>(chunk)).offset +
                                    (row - chunk * part.chunk_rows) * row_bytes;
        const auto first = static_cast<std::size_t>((row - rows.begin) * row_bytes);
        const auto length = static_cast<std::size_t>((end - row) * row_bytes);
        write_exactly(file, bytes.subspan(first, length), static_cast<std::size_t>(offset),
                      part.path);
        row = end;
    }
}

// Makes and writes `mine`, then syncs. Everything here is local to the rank.
void write_share(const MadeRows& rows, const Pool& pool, RowRange mine, Progress& progress) {
    const std::string& path = pool.source.files.at(0);
    FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC), path);
    if (!file.valid()) throw system_error(path, "cannot open for writing", errno);
    const std::int64_t rows_at_once =
        std::max<std::int64_t>(1, block_bytes / std::max<std::int64_t>(1, bytes_of_row(rows)));
    MadeRows::Block block;
    for (RowId row = mine.begin; row < mine.end; row += rows_at_once) {
        const RowRange range = {row, std::min(mine.end, row + rows_at_once)};
        rows.make(range, block);
        for (std::size_t i = 0; i < block.stored.size(); ++i) {
            const Dataset& dataset = pool.get(rows.datasets()[i].role, "pool make");
            write_at_addresses(file, dataset.parts.at(0), range, block.stored[i]);
        }
        progress.advance(range.size());
    }
    sync_file(file, path);
    file.close();
}

// --- through filters -----------------------------------------------------------------------------

// A filtered chunk on its way to rank 0; `length` bytes follow.
struct ChunkHeader {
    std::int64_t dataset = 0;
    std::int64_t first_row = 0;
    std::int64_t length = 0;
};

// The rows' chunk of every dataset, filtered, each behind its header.
std::vector<std::byte> pack_chunks(const MadeRows& rows, const MakeOptions& options, RowRange range,
                                   MadeRows::Block& block) {
    std::vector<std::byte> packed;
    if (range.empty()) return packed;
    rows.make(range, block);
    for (std::size_t i = 0; i < block.stored.size(); ++i) {
        // The last chunk is stored whole as well, with zeros after the pool's end.
        block.stored[i].resize(
            static_cast<std::size_t>(made_chunk_rows(options) * rows.datasets()[i].row_bytes));
        const std::vector<std::byte> stored = filter_chunk(
            block.stored[i], element_bytes(rows.datasets()[i].type), options.deflate_level);
        const ChunkHeader header = {static_cast<std::int64_t>(i), range.begin,
                                    static_cast<std::int64_t>(stored.size())};
        const auto header_bytes = std::as_bytes(std::span(&header, 1));
        packed.insert(packed.end(), header_bytes.begin(), header_bytes.end());
        packed.insert(packed.end(), stored.begin(), stored.end());
    }
    return packed;
}

void write_chunks(std::span<const std::byte> packed, std::vector<h5::OutputDataset>& datasets) {
    while (!packed.empty()) {
        ChunkHeader header;
        std::memcpy(&header, packed.data(), sizeof header);
        const auto length = static_cast<std::size_t>(header.length);
        datasets.at(static_cast<std::size_t>(header.dataset))
            .write_chunk(header.first_row, packed.subspan(sizeof header, length));
        packed = packed.subspan(sizeof header + length);
    }
}

// The file as rank 0 holds it open; nothing on the other ranks.
struct ChunkTarget {
    std::unique_ptr<h5::OutputFile> file;
    std::vector<h5::OutputDataset> datasets;
};

// Every rank has packed one chunk of each dataset; rank 0 takes those of a few ranks at a time.
void collect_chunks(const std::vector<std::byte>& packed, std::int64_t ranks_at_once,
                    ChunkTarget& target, comm::Communicator& world) {
    for (std::int64_t first = 0; first < world.size(); first += ranks_at_once) {
        const bool my_turn = world.rank() >= first && world.rank() < first + ranks_at_once;
        const std::vector<std::byte> all = world.gather<std::byte>(
            my_turn ? std::span<const std::byte>(packed) : std::span<const std::byte>());
        world.agree([&] { write_chunks(all, target.datasets); });
    }
}

}  // namespace

void write_rows_directly(const MadeRows& rows, const MakeOptions& options, const std::string& path,
                         comm::Communicator& world) {
    world.agree([&] {
        if (world.is_root()) create_empty(rows, options, path);
    });
    if (options.num_rows == 0 || rows.datasets().empty()) {
        world.agree([&] {
            if (world.is_root()) sync_path(path);
        });
        return;
    }
    PoolSource source;
    source.files = {path};
    const Pool pool = open_pool(source, world);
    const std::int64_t granule = std::max<std::int64_t>(1, made_chunk_rows(options));
    const RowRange mine = part_of_rows(options.num_rows, world.rank(), world.size(), granule);
    world.agree([&] {
        Progress progress("make", mine.size(), "rows", static_cast<double>(bytes_of_row(rows)));
        write_share(rows, pool, mine, progress);
    });
}

void write_filtered_rows(const MadeRows& rows, const MakeOptions& options, const std::string& path,
                         comm::Communicator& world) {
    ChunkTarget target;
    world.agree([&] {
        if (!world.is_root()) return;
        target.file = std::make_unique<h5::OutputFile>(path, h5::Backing::disk);
        target.datasets = create_datasets(*target.file, rows, options);
    });
    const std::int64_t chunk_rows = made_chunk_rows(options);
    const RowRange mine = part_of_rows(options.num_rows, world.rank(), world.size(), chunk_rows);
    const std::int64_t num_rounds = world.max((mine.size() + chunk_rows - 1) / chunk_rows);
    const std::int64_t ranks_at_once =
        std::max<std::int64_t>(1, batch_bytes / (chunk_rows * bytes_of_row(rows) + 1));
    Progress progress("make", mine.size(), "rows", static_cast<double>(bytes_of_row(rows)));
    MadeRows::Block block;
    std::vector<std::byte> packed;
    for (std::int64_t round = 0; round < num_rounds; ++round) {
        const RowId begin = std::min(mine.end, mine.begin + round * chunk_rows);
        const RowRange range = {begin, std::min(mine.end, begin + chunk_rows)};
        world.agree([&] { packed = pack_chunks(rows, options, range, block); });
        collect_chunks(packed, ranks_at_once, target, world);
        progress.advance(range.size());
    }
    world.agree([&] {
        if (!world.is_root()) return;
        for (h5::OutputDataset& dataset : target.datasets)
            dataset.close();
        target.file->close();
        sync_path(path);
    });
}

}  // namespace sluice::pool
