#include "pool/row_reader.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "pool/convert.hpp"
#include "pool/library_batch.hpp"
#include "pool/part_reader.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <optional>

namespace sluice::pool {
namespace {

// What one child process of the library path brings at most.
constexpr std::int64_t library_batch_bytes = std::int64_t{64} << 20;

std::uint64_t next_reader_id() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

// The run of consecutive rows at the start of `rows`.
RowRange first_run(std::span<const RowId> rows) {
    std::size_t count = 1;
    while (count < rows.size() && rows[count] == rows[count - 1] + 1)
        ++count;
    return {rows[0], rows[0] + static_cast<RowId>(count)};
}

std::vector<RowRange> runs_of(std::span<const RowId> rows) {
    std::vector<RowRange> runs;
    while (!rows.empty()) {
        runs.push_back(first_run(rows));
        rows = rows.subspan(static_cast<std::size_t>(runs.back().size()));
    }
    return runs;
}

std::string fixed_text(const std::byte* bytes, std::size_t length) {
    const auto* text = reinterpret_cast<const char*>(bytes);
    return {text, strnlen(text, length)};
}

}  // namespace

struct RowReader::State {
    explicit State(const Dataset& described)
        : dataset(described),
          format{described.type, described.big_endian},
          row_elements(static_cast<std::size_t>(described.row_elements())),
          row_bytes(static_cast<std::size_t>(described.row_bytes())) {
        const std::uint64_t id = next_reader_id();
        for (std::size_t i = 0; i < described.parts.size(); ++i)
            parts.emplace_back(described, i, id);
    }

    // Stored bytes are what the caller wants, bit for bit.
    bool is_plain_float() const {
        return dataset.type == ElementType::float32 && !dataset.big_endian &&
               std::endian::native == std::endian::little;
    }

    const PartReader& part_of(RowId row) const {
        const auto after = std::upper_bound(
            parts.begin(), parts.end(), row,
            [](RowId wanted, const PartReader& part) { return wanted < part.part().rows.end; });
        require(row >= 0 && after != parts.end(), ExitCode::internal,
                location_text(dataset, row) + ": no such row");
        return *after;
    }

    // Calls step(part, rows of that part, global first row) for each file that `range` touches.
    template <typename Step>
    void for_each_part(RowRange range, Step step) const {
        while (!range.empty()) {
            const PartReader& part = part_of(range.begin);
            const RowRange whole = part.part().rows;
            const RowId end = std::min(range.end, whole.end);
            step(part, RowRange{range.begin - whole.begin, end - whole.begin}, range.begin);
            range.begin = end;
        }
    }

    // Calls sink(global first row, number of rows, stored bytes) for pieces of the ranges, in
    // order.
    template <typename Sink>
    void visit(std::span<const RowRange> ranges, Scratch& scratch, Sink sink) const {
        LibraryBatch batch(std::max<RowId>(library_batch_bytes / stored_row_bytes(), 1));
        for (const RowRange& range : ranges) {
            for_each_part(range, [&](const PartReader& part, RowRange local, RowId first) {
                if (part.part().layout == Layout::library) return batch.add(part, local, sink);
                batch.flush(sink);
                while (!local.empty()) {
                    const RowRange piece = part.one_piece(local);
                    sink(first, piece.size(), part.view(piece, scratch));
                    first += piece.size();
                    local.begin = piece.end;
                }
            });
        }
        batch.flush(sink);
    }

    // The stored bytes themselves, straight to where they are wanted.
    void copy(std::span<const RowRange> ranges, std::span<std::byte> out, Scratch& scratch) const {
        for (const RowRange& range : ranges) {
            for_each_part(range, [&](const PartReader& part, RowRange local, RowId) {
                const std::size_t bytes = static_cast<std::size_t>(local.size()) * row_bytes;
                part.fetch(local, out.first(bytes), scratch);
                out = out.subspan(bytes);
            });
        }
    }

    bool needs_library() const {
        return std::any_of(parts.begin(), parts.end(), [](const PartReader& part) {
            return part.part().layout == Layout::library;
        });
    }

    std::int64_t stored_row_bytes() const { return std::max<std::int64_t>(dataset.row_bytes(), 1); }

    const Dataset& dataset;
    NumberFormat format;
    std::size_t row_elements;
    std::size_t row_bytes;
    std::vector<PartReader> parts;
};

namespace {

[[noreturn]] void throw_value(const Dataset& dataset, RowId row, const std::byte* stored,
                              const std::string& what) {
    throw Error(ExitCode::bad_data, location_text(dataset, row) + ": " + what + " (" +
                                        to_text({dataset.type, dataset.big_endian}, stored) + ")" +
                                        (dataset.type == ElementType::float64
                                             ? "; scale the values, the largest is 3.4e38"
                                             : "; use values up to 2^63 - 1"));
}

// Runs `convert(bytes, out)`, which returns the index of a value that cannot be converted, on
// every piece.
template <typename State, typename Out, typename Convert>
void convert_rows(const State& state, std::span<const RowRange> ranges, std::span<Out> out,
                  RowReader::Scratch& scratch, const std::string& complaint, Convert convert) {
    const auto step = static_cast<std::size_t>(element_bytes(state.dataset.type));
    std::size_t done = 0;
    state.visit(ranges, scratch, [&](RowId first, RowId num_rows, const std::byte* bytes) {
        const std::size_t count = static_cast<std::size_t>(num_rows) * state.row_elements;
        const std::optional<std::size_t> bad = convert(bytes, out.subspan(done, count));
        if (bad) {
            throw_value(state.dataset, first + static_cast<RowId>(*bad / state.row_elements),
                        bytes + *bad * step, complaint);
        }
        done += count;
    });
}

}  // namespace

RowReader::RowReader(const Dataset& dataset) : state_(std::make_unique<State>(dataset)) {}
RowReader::~RowReader() = default;
RowReader::RowReader(RowReader&&) noexcept = default;

void RowReader::read(RowRange range, std::span<float> out, Scratch& scratch) const {
    read_ranges(std::span(&range, 1), out, scratch);
}

void RowReader::gather(std::span<const RowId> rows, std::span<float> out, Scratch& scratch) const {
    read_ranges(runs_of(rows), out, scratch);
}

void RowReader::read_ranges(std::span<const RowRange> ranges, std::span<float> out,
                            Scratch& scratch) const {
    if (state_->is_plain_float() && !state_->needs_library()) {
        return state_->copy(ranges, std::as_writable_bytes(out), scratch);
    }
    convert_rows(*state_, ranges, out, scratch, "value is beyond the range of float32",
                 [&](const std::byte* bytes, std::span<float> piece) {
                     return to_floats(state_->format, bytes, piece);
                 });
}

void RowReader::gather_doubles(std::span<const RowId> rows, std::span<double> out,
                               Scratch& scratch) const {
    convert_rows(*state_, runs_of(rows), out, scratch, "",
                 [&](const std::byte* bytes, std::span<double> piece) {
                     to_doubles(state_->format, bytes, piece);
                     return std::nullopt;
                 });
}

void RowReader::gather_integers(std::span<const RowId> rows, std::span<std::int64_t> out,
                                Scratch& scratch) const {
    require(is_integer(state_->dataset.type), ExitCode::bad_data,
            printable(state_->dataset.path) + ": holds no integers (" +
                element_name(state_->dataset.type) + "); store integers of 8 to 64 bits");
    convert_rows(*state_, runs_of(rows), out, scratch, "value is too large",
                 [&](const std::byte* bytes, std::span<std::int64_t> piece) {
                     return to_integers(state_->format, bytes, piece);
                 });
}

std::vector<std::string> RowReader::gather_text(std::span<const RowId> rows,
                                                Scratch& scratch) const {
    std::vector<std::string> texts;
    texts.reserve(rows.size());
    const Dataset& dataset = state_->dataset;
    if (dataset.type == ElementType::text && state_->needs_library()) {
        for (const RowRange& run : runs_of(rows)) {
            state_->for_each_part(run, [&](const PartReader& part, RowRange local, RowId) {
                for (std::string& text : part.text_by_library(local))
                    texts.push_back(std::move(text));
            });
        }
        return texts;
    }
    state_->visit(runs_of(rows), scratch, [&](RowId, RowId num_rows, const std::byte* bytes) {
        for (RowId i = 0; i < num_rows; ++i, bytes += state_->row_bytes) {
            texts.push_back(dataset.type == ElementType::text ? fixed_text(bytes, state_->row_bytes)
                                                              : to_text(state_->format, bytes));
        }
    });
    return texts;
}

void RowReader::read_bytes(RowRange range, std::span<std::byte> out, Scratch& scratch) const {
    copy_ranges(std::span(&range, 1), out, scratch);
}

void RowReader::gather_bytes(std::span<const RowId> rows, std::span<std::byte> out,
                             Scratch& scratch) const {
    copy_ranges(runs_of(rows), out, scratch);
}

void RowReader::copy_ranges(std::span<const RowRange> ranges, std::span<std::byte> out,
                            Scratch& scratch) const {
    if (!state_->needs_library()) return state_->copy(ranges, out, scratch);
    std::size_t done = 0;
    state_->visit(ranges, scratch, [&](RowId, RowId num_rows, const std::byte* bytes) {
        const std::size_t count = static_cast<std::size_t>(num_rows) * state_->row_bytes;
        std::memcpy(out.subspan(done, count).data(), bytes, count);
        done += count;
    });
}

void RowReader::prefetch(RowRange range) const {
    state_->for_each_part(
        range, [](const PartReader& part, RowRange local, RowId) { part.prefetch(local); });
}

std::int64_t RowReader::block_rows(std::int64_t target_bytes) const {
    const std::int64_t rows = std::max<std::int64_t>(target_bytes / state_->stored_row_bytes(), 1);
    std::int64_t chunk_rows = 0;
    bool filtered = false;
    for (const PartReader& part : state_->parts) {
        chunk_rows = std::max(chunk_rows, part.part().chunk_rows);
        filtered = filtered || !part.part().filters.empty();
    }
    if (chunk_rows == 0) return rows;
    if (chunk_rows <= rows) return rows / chunk_rows * chunk_rows;
    if (filtered) return chunk_rows;  // several blocks would each decode the whole chunk
    std::int64_t pieces = (chunk_rows + rows - 1) / rows;
    while (chunk_rows % pieces != 0)
        ++pieces;
    return chunk_rows / pieces;
}

std::int64_t RowReader::scratch_bytes(std::int64_t rows) const {
    std::int64_t bytes = 0;
    for (const PartReader& part : state_->parts)
        bytes = std::max(bytes, part.scratch_bytes(rows));
    return bytes;
}

}  // namespace sluice::pool
