#include "queue/token.hpp"

#include "queue/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

namespace sluice::queue {
namespace {

constexpr std::size_t max_name_length = 255;
constexpr std::size_t nonce_digits = 20;

// Takes the part of `text` before the next `separator` off; all of it if there is none.
std::string_view take_part(std::string_view& text, char separator) {
    const std::string_view part = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    return part;
}

// The same from the end.
std::string_view take_last_part(std::string_view& text, char separator) {
    const std::size_t found = text.rfind(separator);
    if (found == std::string_view::npos) return std::exchange(text, {});
    const std::string_view part = text.substr(found + 1);
    text = text.substr(0, found);
    return part;
}

template <typename Number>
bool read_number(std::string_view text, Number& number) {
    const char* const end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, number);
    return result.ec == std::errc() && result.ptr == end && number >= 0;
}

template <typename Number>
bool read_marked(std::string_view part, char mark, Number& number) {
    return !part.empty() && part[0] == mark && read_number(part.substr(1), number);
}

bool is_word(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-';
    });
}

bool is_nonce(std::string_view text) {
    return text.size() == nonce_digits &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool read_holder(std::string_view part, Holder& holder) {
    holder.nonce = take_last_part(part, '-');
    const bool has_process = read_number(take_last_part(part, '-'), holder.process);
    holder.name = part;
    return has_process && is_nonce(holder.nonce) && is_word(holder.name);
}

bool read_ticket(std::string_view part, TicketId& ticket) {
    ticket.number = number_of_name(take_last_part(part, '-'));
    ticket.batch_id = part;
    return ticket.number > 0 && is_plain_name(ticket.batch_id);
}

bool read_lease(std::string_view text, Token& token) {
    token.holder.emplace();
    return read_holder(take_part(text, '.'), *token.holder) &&
           read_marked(text, 'l', token.lease_seconds);
}

}  // namespace

std::string token_name(const Token& token) {
    std::string name = fmt::format("{}-{}.a{}", token.ticket.batch_id,
                                   number_name(token.ticket.number), token.attempt);
    if (token.releases > 0) name += fmt::format(".r{}", token.releases);
    if (!token.holder) return name;
    name +=
        fmt::format(".{}-{}-{}", token.holder->name, token.holder->process, token.holder->nonce);
    return token.lease_seconds > 0 ? name + fmt::format(".l{}", token.lease_seconds) : name;
}

std::optional<Token> parse_token(std::string_view name) {
    if (name.size() > max_name_length) return std::nullopt;
    Token token;
    std::string_view rest = name;
    if (!read_ticket(take_part(rest, '.'), token.ticket)) return std::nullopt;
    if (!read_marked(take_part(rest, '.'), 'a', token.attempt)) return std::nullopt;
    // A holder's part has hyphens, so it is never taken for a count of releases.
    if (read_marked(rest.substr(0, rest.find('.')), 'r', token.releases)) take_part(rest, '.');
    if (!rest.empty() && !read_lease(rest, token)) return std::nullopt;
    // Only the one way to write a token counts, so that no two names mean the same.
    const bool is_leased = token.holder.has_value() == (token.lease_seconds > 0);
    if (token.attempt < 1 || !is_leased || token_name(token) != name) return std::nullopt;
    return token;
}

}  // namespace sluice::queue
