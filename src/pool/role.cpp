#include "pool/role.hpp"

#include "core/error.hpp"
#include "pool/describe.hpp"

#include <algorithm>
#include <optional>

namespace sluice::pool {
namespace {

using Values = RoleRule::Values;
using Kind = h5::TypeInfo::Kind;

constexpr std::uint64_t max_rows = std::uint64_t{1} << 48;
constexpr std::uint64_t max_row_elements = std::uint64_t{1} << 28;

std::optional<ElementType> element_type(const h5::TypeInfo& type) {
    if (!type.is_standard) return std::nullopt;
    if (type.kind == Kind::text) return ElementType::text;
    if (type.kind == Kind::floating) {
        if (type.bytes == 2) return ElementType::float16;
        return type.bytes == 4 ? ElementType::float32 : ElementType::float64;
    }
    if (type.kind != Kind::integer) return std::nullopt;
    switch (type.bytes) {
        case 1:
            return type.is_signed ? ElementType::int8 : ElementType::uint8;
        case 2:
            return type.is_signed ? ElementType::int16 : ElementType::uint16;
        case 4:
            return type.is_signed ? ElementType::int32 : ElementType::uint32;
        default:
            return type.is_signed ? ElementType::int64 : ElementType::uint64;
    }
}

std::string accepted_types(Values values) {
    switch (values) {
        case Values::numbers:
            return "float16, float32, float64 or integers of 8 to 64 bits";
        case Values::integers:
            return "integers of 8 to 64 bits";
        case Values::integers_or_text:
            return "integers of 8 to 64 bits or text";
        case Values::anything:
            return "numbers or text";
    }
    return {};
}

bool accepts(Values values, Kind kind) {
    switch (values) {
        case Values::numbers:
            return kind == Kind::integer || kind == Kind::floating;
        case Values::integers:
            return kind == Kind::integer;
        case Values::integers_or_text:
            return kind == Kind::integer || kind == Kind::text;
        case Values::anything:
            return kind != Kind::other;
    }
    return false;
}

std::string dims_text(const h5::DatasetInfo& info) {
    if (info.space == h5::DatasetInfo::Space::null) return "nothing (a null dataspace)";
    if (info.space == h5::DatasetInfo::Space::scalar) return "a single value";
    std::string text;
    for (const std::uint64_t extent : info.dims)
        text += (text.empty() ? "" : ",") + std::to_string(extent);
    return "[" + text + "]";
}

void check_type(const RoleRule& rule, const h5::TypeInfo& type, const std::string& where) {
    require(element_type(type).has_value() && accepts(rule.values, type.kind), ExitCode::bad_data,
            where + ": elements of this type cannot be used (" + type.name + "); store " +
                accepted_types(rule.values));
}

void check_shape(const RoleRule& rule, const h5::DatasetInfo& info, const std::string& where) {
    const std::size_t rank = info.dims.size();
    require(info.space == h5::DatasetInfo::Space::simple && rank >= rule.min_rank &&
                rank <= rule.max_rank,
            ExitCode::bad_data,
            where + ": has the wrong shape (" + dims_text(info) + "); expected " + rule.shape);
    if (rank == 1) return;
    for (std::size_t i = 1; i < rank; ++i) {
        const std::int64_t least = i + 1 == rank ? rule.min_last_extent : 1;
        require(info.dims[i] >= static_cast<std::uint64_t>(least), ExitCode::bad_data,
                where + ": has too few " +
                    (i + 1 == rank ? rule.last_extent_name : std::string("members")) + " (" +
                    dims_text(info) + "); at least " + std::to_string(least) + " needed in " +
                    rule.shape);
    }
}

// Checked one factor at a time: the product of damaged extents may wrap round to something small.
void check_sizes(const h5::DatasetInfo& info, const std::string& where) {
    require(info.dims[0] <= max_rows, ExitCode::bad_data,
            where + ": has too many rows (" + dims_text(info) + "); the limit is 2^48");
    std::uint64_t elements = 1;
    for (std::size_t i = 1; i < info.dims.size(); ++i) {
        require(info.dims[i] <= max_row_elements / elements, ExitCode::bad_data,
                where + ": one row is too large (" + dims_text(info) +
                    "); the limit is 2^28 numbers a row");
        elements *= std::max<std::uint64_t>(info.dims[i], 1);
    }
    constexpr std::uint64_t max_bytes = std::uint64_t{1} << 62;
    const auto element = static_cast<std::uint64_t>(std::max<std::int64_t>(info.type.bytes, 1));
    require(info.dims[0] <= max_bytes / elements / element, ExitCode::bad_data,
            where + ": is too large (" + dims_text(info) + "); the limit is 2^62 bytes");
}

}  // namespace

RoleRule rule_of(const std::string& role) {
    if (role == "features") return {Values::numbers, 2, 2, 1, "[N,D]", "dimensions"};
    if (role == "probabilities") return {Values::numbers, 2, 2, 2, "[N,C]", "classes"};
    if (role == "committee") return {Values::numbers, 3, 3, 2, "[N,M,C]", "classes"};
    if (role == "predictions") return {Values::numbers, 2, 3, 1, "[N,M] or [N,M,T]", "members"};
    if (role == "inputs") return {Values::numbers, 2, 2, 1, "[N,P]", "inputs"};
    if (role == "ids") return {Values::integers_or_text, 1, 1, 1, "[N]", ""};
    if (role == "groups") return {Values::integers, 1, 1, 1, "[N]", ""};
    if (role == "cost") return {Values::numbers, 1, 1, 1, "[N]", ""};
    if (role.starts_with("columns/")) return {Values::anything, 1, 1, 1, "[N]", ""};
    return {Values::anything, 1, 3, 1, "[N], [N,A] or [N,A,B]", "columns"};
}

void apply_rule(const RoleRule& rule, const h5::DatasetInfo& info, const std::string& where,
                Dataset& dataset) {
    check_shape(rule, info, where);
    check_type(rule, info.type, where);
    check_sizes(info, where);
    dataset.type = *element_type(info.type);
    dataset.big_endian = info.type.big_endian && info.type.bytes > 1;
    if (dataset.type == ElementType::text && !info.type.is_variable) {
        dataset.text_bytes = info.type.bytes;
    }
    dataset.num_rows = static_cast<RowId>(info.dims[0]);
    dataset.row_shape.assign(info.dims.begin() + 1, info.dims.end());
}

std::string summary_of(const h5::DatasetInfo& info) {
    const auto type = element_type(info.type);
    return (type ? element_name(*type) : info.type.name) + " " + dims_text(info);
}

}  // namespace sluice::pool
