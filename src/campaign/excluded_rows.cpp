#include "campaign/excluded_rows.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/partition.hpp"
#include "core/text.hpp"
#include "pool/row_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <span>
#include <string_view>
#include <unordered_map>

namespace sluice::campaign {
namespace {

constexpr std::string_view hdf5_signature = "\x89HDF\r\n\x1a\n";
constexpr std::size_t most_bytes = std::size_t{1} << 31;
constexpr std::int64_t rows_at_once = std::int64_t{1} << 16;

bool is_hdf5(const std::string& path) {
    const FileDescriptor file = open_for_reading(path);
    std::string begin(hdf5_signature.size(), '\0');
    try {
        read_exactly(file, std::as_writable_bytes(std::span(begin)), 0, path);
    } catch (const Error& error) {
        if (error.code() == ExitCode::bad_data) return false;  // shorter than that
        throw;
    }
    return begin == hdf5_signature;
}

// The fields of a line; quotes as RFC 4180, line ends within them not.
std::vector<std::string> fields_of(std::string_view line) {
    std::vector<std::string> fields(1);
    bool inside = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const bool is_doubled = inside && line.substr(i).starts_with("\"\"");
        if (is_doubled) ++i;
        if (line[i] == '"' && !is_doubled)
            inside = !inside;
        else if (line[i] == ',' && !inside)
            fields.emplace_back();
        else
            fields.back() += line[i];
    }
    return fields;
}

struct Name {
    std::string text;
    std::int64_t line = 0;
};

// What a text names, and whether by row number or by id.
struct Names {
    enum class Kind { rows, ids } kind = Kind::rows;
    std::vector<Name> names;
};

// The field that names rows, where the first line is a header.
std::size_t named_field(const std::vector<std::string>& header, Names& names) {
    for (const auto& [name, kind] :
         {std::pair{"row", Names::Kind::rows}, {"id", Names::Kind::ids}}) {
        const auto found = std::find(header.begin(), header.end(), name);
        if (found == header.end()) continue;
        names.kind = kind;
        return static_cast<std::size_t>(found - header.begin());
    }
    return header.size();
}

Names read_names(const std::string& path, const pool::Pool& pool) {
    const std::string text = read_text_file(path, most_bytes);
    Names names;
    names.kind = pool.find("ids") == nullptr ? Names::Kind::rows : Names::Kind::ids;
    std::size_t field = 0;
    std::int64_t number = 0;
    bool is_first = true;
    for (std::string_view rest = text; !rest.empty();) {
        std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        ++number;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty() || line.starts_with('#')) continue;
        const std::vector<std::string> fields = fields_of(line);
        if (std::exchange(is_first, false)) {
            const std::size_t named = named_field(fields, names);
            field = named < fields.size() ? named : 0;
            if (named < fields.size()) continue;
        }
        require(field < fields.size() && !fields[field].empty(), ExitCode::bad_data,
                fmt::format("{}: line {} names no row; give one a line", path, number));
        names.names.push_back({fields[field], number});
    }
    return names;
}

RowId row_number(const std::string& path, const Name& name, RowId num_rows) {
    RowId row = -1;
    const char* const end = name.text.data() + name.text.size();
    const auto [stop, error] = std::from_chars(name.text.data(), end, row);
    require(error == std::errc() && stop == end && row >= 0 && row < num_rows, ExitCode::bad_data,
            fmt::format("{}: line {}: '{}' is no row of the pool, which has {} rows; give their "
                        "numbers, or ids under a header line `id`",
                        path, name.line, printable(name.text), num_rows));
    return row;
}

// Each rank looks for the ids among its rows.
std::vector<RowId> rows_of_ids(const std::string& path, const std::vector<Name>& names,
                               const pool::Pool& pool, comm::Communicator& world) {
    std::unordered_map<std::string, std::size_t> wanted;
    for (std::size_t i = 0; i < names.size(); ++i)
        wanted.emplace(names[i].text, i);
    std::vector<RowId> rows;
    std::vector<std::int64_t> is_found(names.size(), 0);
    world.agree([&] {
        const pool::Dataset& ids = pool.get("ids", "--exclude " + path);
        const RowRange share = part_of_rows(pool.num_rows, world.rank(), world.size());
        const pool::RowReader reader(ids);
        pool::RowReader::Scratch scratch;
        for (RowId begin = share.begin; begin < share.end; begin += rows_at_once) {
            std::vector<RowId> block(
                static_cast<std::size_t>(std::min(rows_at_once, share.end - begin)));
            std::iota(block.begin(), block.end(), begin);
            const std::vector<std::string> texts = reader.gather_text(block, scratch);
            for (std::size_t i = 0; i < texts.size(); ++i) {
                const auto found = wanted.find(texts[i]);
                if (found == wanted.end()) continue;
                is_found[found->second] = 1;
                rows.push_back(block[i]);
            }
        }
    });
    world.max(is_found);
    for (const auto& [text, index] : wanted) {
        if (is_found[index] != 0) continue;
        throw comm::AgreedError(ExitCode::bad_data,
                                fmt::format("{}: line {}: no row of the pool has the id '{}'", path,
                                            names[index].line, printable(text)));
    }
    return world.all_gather(std::span<const RowId>(rows));
}

std::vector<RowId> read_row_dataset(const std::string& path, RowId num_rows,
                                    comm::Communicator& world) {
    pool::PoolSource source;
    source.files = {path};
    source.datasets = {{"row", "/row"}};
    const pool::Pool file = pool::open_pool(source, world);
    std::vector<RowId> rows;
    world.agree([&] {
        if (!world.is_root()) return;
        const pool::Dataset& dataset = file.get("row", "--exclude");
        rows.resize(static_cast<std::size_t>(file.num_rows));
        std::vector<RowId> all(rows.size());
        std::iota(all.begin(), all.end(), RowId{0});
        pool::RowReader::Scratch scratch;
        pool::RowReader(dataset).gather_integers(all, rows, scratch);
        for (std::size_t i = 0; i < rows.size(); ++i)
            require(rows[i] >= 0 && rows[i] < num_rows, ExitCode::bad_data,
                    fmt::format("{}: row {} is not in the pool, which has {} rows",
                                pool::location_text(dataset, static_cast<RowId>(i)), rows[i],
                                num_rows));
    });
    return world.all_gather(std::span<const RowId>(rows));
}

std::vector<RowId> ascending(std::vector<RowId> rows) {
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    return rows;
}

}  // namespace

std::vector<RowId> read_named_rows(const std::string& path, const pool::Pool& pool,
                                   comm::Communicator& world) {
    if (path.empty()) return {};
    std::int64_t stored = 0;
    Names names;
    world.agree([&] {
        stored = is_hdf5(path) ? 1 : 0;
        if (stored == 0) names = read_names(path, pool);
    });
    if (world.max(stored) != 0) return ascending(read_row_dataset(path, pool.num_rows, world));
    if (names.kind == Names::Kind::ids)
        return ascending(rows_of_ids(path, names.names, pool, world));
    std::vector<RowId> rows;
    world.agree([&] {
        for (const Name& name : names.names)
            rows.push_back(row_number(path, name, pool.num_rows));
    });
    return ascending(std::move(rows));
}

}  // namespace sluice::campaign
