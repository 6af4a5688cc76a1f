#include "queue/result_file.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/sha256.hpp"
#include "queue/layout.hpp"
#include "queue/staging.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <span>

namespace sluice::queue {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view suffix = ".jsonl";
constexpr std::size_t max_part_length = 64;
constexpr std::size_t max_file_bytes = std::size_t{1} << 30;
constexpr std::size_t max_seal_bytes = std::size_t{64} << 10;

bool is_part(std::string_view text) {
    return !text.empty() && text.size() <= max_part_length &&
           std::all_of(text.begin(), text.end(),
                       [](unsigned char c) { return std::isalnum(c) != 0; });
}

std::string seal_text(const ResultSeal& seal) {
    const Json facts = {{"lines", seal.lines},
                        {"sha256", seal.sha256},
                        {"counts", seal.counts},
                        {"wall_seconds", seal.wall_seconds}};
    return Json{{"seal", facts}}.dump() + "\n";
}

ResultSeal seal_of(std::string_view lines, std::span<const ItemResult> results) {
    ResultSeal seal;
    seal.lines = static_cast<std::int64_t>(results.size());
    seal.sha256 = sha256_hex(lines);
    for (const ItemResult& result : results) {
        ++seal.counts[std::string(status_name(result.status))];
        seal.wall_seconds += result.wall_seconds;
    }
    return seal;
}

std::string file_text(std::span<const ItemResult> results) {
    std::string text;
    for (const ItemResult& result : results)
        text += result_text(result) + "\n";
    return text + seal_text(seal_of(text, results));
}

ResultSeal parse_seal(std::string_view line, const std::string& path) {
    try {
        const Json json = Json::parse(line).at("seal");
        return {json.at("lines").get<std::int64_t>(), json.at("sha256").get<std::string>(),
                json.at("counts").get<std::map<std::string, std::int64_t>>(),
                json.at("wall_seconds").get<double>()};
    } catch (const Json::exception&) {
        throw Error(ExitCode::bad_data,
                    path +
                        ": does not end with a seal; the file is damaged, its items are offered "
                        "again once it is removed");
    }
}

// Where the last line of `text` begins; the line must have its end.
std::size_t last_line(std::string_view text, const std::string& path) {
    require(!text.empty() && text.back() == '\n', ExitCode::bad_data,
            path + ": is cut off within a line; the file is damaged");
    const std::size_t before = text.substr(0, text.size() - 1).rfind('\n');
    return before == std::string_view::npos ? 0 : before + 1;
}

std::vector<ItemResult> parse_lines(std::string_view lines, const std::string& path) {
    std::vector<ItemResult> results;
    while (!lines.empty()) {
        const std::size_t end = lines.find('\n');
        const std::string where = fmt::format("{}:{}", path, results.size() + 1);
        results.push_back(parse_result(lines.substr(0, end), where));
        lines.remove_prefix(end + 1);
    }
    return results;
}

// Writes and reads back under a temporary name that tells whose it is, then moves into place.
void write_and_move(const std::string& queue_directory, const std::string& path,
                    const std::string& text) {
    const std::string draft = join(join(queue_directory, folder::tmp), staging_name());
    try {
        create_text_file(draft, text);
        require(read_own_file(draft, text.size()) == text, ExitCode::io_error,
                draft +
                    ": reads back differently from what was written; see whether the file "
                    "system is healthy, then run again");
        require(move_entry(draft, path), ExitCode::io_error,
                draft + ": vanished before it could be published; run again");
    } catch (...) {
        clear_away(draft);
        throw;
    }
}

}  // namespace

std::int64_t ResultSeal::num_ended() const {
    const auto refused = counts.find(std::string(status_name(ItemStatus::refused)));
    return lines - (refused == counts.end() ? 0 : refused->second);
}

std::string result_file_name(const ResultName& name) {
    return fmt::format("{}.{}{}", token_name(name.token), name.part, suffix);
}

std::optional<ResultName> parse_result_name(std::string_view name) {
    if (!name.ends_with(suffix)) return std::nullopt;
    const std::string_view stem = name.substr(0, name.size() - suffix.size());
    const std::size_t dot = stem.rfind('.');
    if (dot == std::string_view::npos || !is_part(stem.substr(dot + 1))) return std::nullopt;
    // A leased token without its lease is none, so it gets one for as long as it is read.
    std::optional<Token> token = parse_token(fmt::format("{}.l1", stem.substr(0, dot)));
    if (!token) return std::nullopt;
    token->lease_seconds = 0;
    ResultName result{*token, std::string(stem.substr(dot + 1))};
    return result_file_name(result) == name ? std::optional(result) : std::nullopt;
}

void publish_results(const std::string& queue_directory, const ResultName& name,
                     std::span<const ItemResult> results) {
    const std::string file_name = result_file_name(name);
    require(parse_result_name(file_name) == name, ExitCode::internal,
            "results: '" + file_name + "' is no name of a result file");
    const std::string directory = join(queue_directory, folder::results);
    const std::string path = join(directory, file_name);
    if (exists(join(join(queue_directory, folder::settled), file_name))) return;
    if (!exists(path)) {
        const std::string text = file_text(results);
        require(text.size() <= max_file_bytes, ExitCode::bad_data,
                fmt::format("{}: {} bytes of results are more than the {} allowed; use smaller "
                            "tickets",
                            path, text.size(), max_file_bytes));
        write_and_move(queue_directory, path, text);
    }
    sync_directory(directory);
}

ResultFile read_result_file(const std::string& path) {
    const std::string content = read_own_file(path, max_file_bytes);
    const std::string_view text = content;
    const std::size_t seal_begin = last_line(text, path);
    const std::string_view lines = text.substr(0, seal_begin);
    ResultFile file;
    file.seal = parse_seal(text.substr(seal_begin), path);
    require(file.seal.sha256 == sha256_hex(lines), ExitCode::bad_data,
            path + ": does not match its seal; the file is damaged");
    file.results = parse_lines(lines, path);
    require(seal_text(seal_of(lines, file.results)) == text.substr(seal_begin), ExitCode::bad_data,
            path + ": its seal counts other lines than it has; the file is damaged");
    return file;
}

ResultSeal read_seal(const std::string& path) {
    const FileDescriptor file = open_own_file(path);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) throw system_error(path, "cannot examine", errno);
    const auto num_bytes = static_cast<std::size_t>(status.st_size);
    std::string tail(std::min(num_bytes, max_seal_bytes), '\0');
    const std::size_t offset = num_bytes - tail.size();
    read_exactly(file, std::as_writable_bytes(std::span(tail)), offset, path);
    const std::size_t begin = last_line(tail, path);
    require(begin > 0 || offset == 0, ExitCode::bad_data,
            path + ": its last line is too long for a seal; the file is damaged");
    return parse_seal(std::string_view(tail).substr(begin), path);
}

}  // namespace sluice::queue
