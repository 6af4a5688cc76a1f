#include "select/item_rule.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <charconv>

namespace sluice::select {
namespace {

constexpr std::string_view top_prefix = "top_mean:";

}  // namespace

std::string ItemRule::text() const {
    switch (kind) {
        case Kind::rows:
            return "none";
        case Kind::max:
            return "max";
        case Kind::mean:
            return "mean";
        case Kind::sum:
            return "sum";
        case Kind::top_mean:
            return std::string(top_prefix) + std::to_string(top);
    }
    return {};
}

ItemRule parse_item_rule(std::string_view text) {
    if (text == "none") return {};
    if (text == "max") return {ItemRule::Kind::max};
    if (text == "mean") return {ItemRule::Kind::mean};
    if (text == "sum") return {ItemRule::Kind::sum};
    if (text.starts_with(top_prefix)) {
        const std::string_view digits = text.substr(top_prefix.size());
        std::int64_t top = 0;
        const auto end = digits.data() + digits.size();
        const auto result = std::from_chars(digits.data(), end, top);
        if (result.ec == std::errc() && result.ptr == end && top >= 1)
            return {ItemRule::Kind::top_mean, top};
    }
    throw Error(ExitCode::usage, "--groups: unknown rule '" + printable(std::string(text)) +
                                     "'; choose none, max, mean, sum or top_mean:K with K >= 1");
}

}  // namespace sluice::select
