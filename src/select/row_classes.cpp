#include "select/row_classes.hpp"

#include "core/error.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <numeric>
#include <span>

namespace sluice::select {
namespace {

bool is_integer(pool::ElementType type) {
    return type != pool::ElementType::text && type != pool::ElementType::float16 &&
           type != pool::ElementType::float32 && type != pool::ElementType::float64;
}

std::int64_t code_of_text(const std::string& text) {
    constexpr std::size_t digits = 15;  // of 4 bits: never negative
    const std::string hex = sha256_hex(text).substr(0, digits);
    std::int64_t code = 0;
    std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
    return code;
}

std::int64_t code_of_number(float number) {
    if (!std::isfinite(number)) return no_class;
    return std::bit_cast<std::int32_t>(number + 0.0F);  // -0 becomes 0
}

template <typename Number>
std::optional<Number> whole_number(const std::string& text) {
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stop != end) return std::nullopt;
    return number;
}

// The class of the largest mean over the members [M, C], ties to the lower class.
std::int64_t predicted_class(std::span<const float> says, std::int64_t classes) {
    std::int64_t best = no_class;
    float largest = 0.0F;
    for (std::int64_t c = 0; c < classes; ++c) {
        float sum = 0.0F;
        for (std::size_t at = static_cast<std::size_t>(c); at < says.size();
             at += static_cast<std::size_t>(classes))
            sum += says[at];
        if (!std::isfinite(sum)) return no_class;
        if (best == no_class || sum > largest) {
            best = c;
            largest = sum;
        }
    }
    return best;
}

const pool::Dataset& dataset_of(const pool::Pool& pool, const Plan& plan, const ClassRule& rule) {
    if (rule.kind == ClassRule::Kind::cells) return dataset_of(pool, plan, rule.parts.front());
    if (rule.kind != ClassRule::Kind::predicted) return pool.get(rule.role, "--class-by");
    return *find_members(pool, plan, "--class-by class").dataset;
}

std::int64_t buffer_bytes_of(const pool::Pool& pool, const Plan& plan, const ClassRule& rule,
                             std::int64_t block_rows) {
    const pool::Dataset& dataset = dataset_of(pool, plan, rule);
    const auto real = static_cast<std::int64_t>(sizeof(float));
    std::int64_t floats = dataset.row_elements();
    if (rule.kind == ClassRule::Kind::predicted) {
        const MemberSource members = find_members(pool, plan, "--class-by class");
        if (members.is_model) floats += members.members * members.classes;
    }
    return block_rows * (floats * real + 2 * static_cast<std::int64_t>(sizeof(RowId))) +
           pool::RowReader(dataset).scratch_bytes(block_rows);
}

}  // namespace

RowClasses::RowClasses(const pool::Pool& pool, const Plan& plan)
    : RowClasses(pool, plan, *plan.class_rule) {}

RowClasses::RowClasses(const pool::Pool& pool, const Plan& plan, const ClassRule& rule)
    : plan_(plan), rule_(rule), dataset_(&dataset_of(pool, plan, rule)) {
    for (const ClassRule& part : rule.parts)
        parts_.push_back(std::make_unique<RowClasses>(pool, plan, part));
    if (!parts_.empty()) return;
    reader_.emplace(*dataset_);
    if (rule_.kind != ClassRule::Kind::predicted) return;
    members_ = find_members(pool, plan, "--class-by class");
    const auto named = dataset_->attributes.find("names");
    if (!members_.is_model && named != dataset_->attributes.end() &&
        std::ssize(named->second) == members_.classes)
        names_ = named->second;
}

void RowClasses::read(RowRange rows, std::vector<std::int64_t>& codes, Scratch& scratch) const {
    codes.resize(static_cast<std::size_t>(rows.size()));
    if (!parts_.empty()) return read_cells(rows, codes, scratch);
    if (rule_.kind == ClassRule::Kind::predicted) return read_predicted(rows, codes, scratch);
    if (!is_text() && !is_integer(dataset_->type)) return read_numbers(rows, codes, scratch);
    scratch.rows.resize(codes.size());
    std::iota(scratch.rows.begin(), scratch.rows.end(), rows.begin);
    if (is_text()) return read_texts(codes, scratch);
    reader_->gather_integers(scratch.rows, codes, scratch.reader);
}

void RowClasses::read_predicted(RowRange rows, std::vector<std::int64_t>& codes,
                                Scratch& scratch) const {
    scratch.values.resize(codes.size() * static_cast<std::size_t>(dataset_->row_elements()));
    reader_->read(rows, scratch.values, scratch.reader);
    scratch.values = member_probabilities(members_, plan_, std::move(scratch.values));
    const auto width = static_cast<std::size_t>(members_.members * members_.classes);
    for (std::size_t i = 0; i < codes.size(); ++i)
        codes[i] =
            predicted_class(std::span(scratch.values).subspan(i * width, width), members_.classes);
}

void RowClasses::read_numbers(RowRange rows, std::vector<std::int64_t>& codes,
                              Scratch& scratch) const {
    scratch.values.resize(codes.size());
    reader_->read(rows, scratch.values, scratch.reader);
    std::transform(scratch.values.begin(), scratch.values.end(), codes.begin(), code_of_number);
}

void RowClasses::read_texts(std::vector<std::int64_t>& codes, Scratch& scratch) const {
    const std::vector<std::string> texts = reader_->gather_text(scratch.rows, scratch.reader);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        codes[i] = code_of_text(texts[i]);
        if (!scratch.texts.insert(codes[i]).second) continue;
        const std::lock_guard lock(mutex_);
        texts_.emplace(codes[i], texts[i]);
    }
}

std::optional<std::int64_t> RowClasses::code_of(const std::string& name) const {
    if (!parts_.empty()) return std::nullopt;  // cells have no names of their own
    if (is_text()) {
        const std::lock_guard lock(mutex_);
        return texts_.emplace(code_of_text(name), name).first->first;
    }
    if (rule_.kind == ClassRule::Kind::predicted) {
        const auto named = std::find(names_.begin(), names_.end(), name);
        if (named != names_.end()) return named - names_.begin();
        const auto number = whole_number<std::int64_t>(name);
        if (!number || *number < 0 || *number >= members_.classes) return std::nullopt;
        return number;
    }
    if (is_integer(dataset_->type)) return whole_number<std::int64_t>(name);
    const auto number = whole_number<double>(name);
    if (!number || !std::isfinite(*number)) return std::nullopt;
    return code_of_number(static_cast<float>(*number));
}

std::string RowClasses::name_of(std::int64_t code) const {
    if (!parts_.empty()) return name_of_cell(code);
    if (is_text()) {
        const std::lock_guard lock(mutex_);
        const auto found = texts_.find(code);
        return found == texts_.end() ? std::string() : found->second;
    }
    if (rule_.kind == ClassRule::Kind::predicted) {
        return names_.empty() ? std::to_string(code) : names_[static_cast<std::size_t>(code)];
    }
    if (is_integer(dataset_->type)) return std::to_string(code);
    return number_text(std::bit_cast<float>(static_cast<std::int32_t>(code)));
}

std::int64_t RowClasses::row_bytes() const {
    std::int64_t bytes = parts_.empty() ? dataset_->row_bytes() : 0;
    for (const auto& part : parts_)
        bytes += part->row_bytes();
    return bytes;
}

std::int64_t RowClasses::buffer_bytes(const pool::Pool& pool, const Plan& plan,
                                      std::int64_t block_rows) {
    const ClassRule& rule = *plan.class_rule;
    if (rule.parts.empty()) return buffer_bytes_of(pool, plan, rule, block_rows);
    std::int64_t bytes = 0;
    for (const ClassRule& part : rule.parts)
        bytes += buffer_bytes_of(pool, plan, part, block_rows) +
                 block_rows * static_cast<std::int64_t>(sizeof(std::int64_t));
    return bytes;
}

}  // namespace sluice::select
