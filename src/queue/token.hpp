#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::queue {

/// One ticket: items that are claimed together. `number` counts from 1 within its batch.
struct TicketId {
    std::string batch_id;
    std::int64_t number = 0;

    auto operator<=>(const TicketId&) const = default;
};

/// Who works on a ticket: a process, or a person who got it by an export.
struct Holder {
    std::string name;          ///< host name, or the name given to the export; letters, digits, `-`
    std::int64_t process = 0;  ///< process number; 0 = a person
    std::string nonce;  ///< 20 hex digits, new for every lease: process_mark() and 8 random ones

    bool operator==(const Holder&) const = default;
};

/// The one token of a ticket: an empty file whose name holds all facts.
///   in pending/ and quarantine/   BATCH-TICKET.aATTEMPT[.rRELEASES]
///   in leased/                    the same and .NAME-PROCESS-NONCE.lSECONDS
/// It is made once, when the batch is published, and from then on only renamed, until it is removed
/// because every item of the ticket has a result.
struct Token {
    TicketId ticket;
    int attempt = 1;   ///< 1 + how many holders were lost
    int releases = 0;  ///< how often it was given back with items left
    std::optional<Holder> holder;
    std::int64_t lease_seconds = 0;  ///< of a leased token: silence after which it may be reaped

    bool operator==(const Token&) const = default;
};

/// A ticket whose holders were lost this often goes to quarantine.
inline constexpr int max_attempts = 5;

/// The file name of a token.
std::string token_name(const Token& token);

/// The token of such a name; nothing if it is none.
std::optional<Token> parse_token(std::string_view name);

}  // namespace sluice::queue
