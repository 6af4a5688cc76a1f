#include "pool/id_scan.hpp"

#include <numeric>

namespace sluice::pool {
namespace {

// FNV-1a, 64 bits; equal hashes are compared as text afterwards.
std::uint64_t hash_of(const std::string& text) {
    std::uint64_t hash = 0xCBF29CE484222325ULL;
    for (const char byte : text)
        hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3ULL;
    return hash;
}

}  // namespace

std::vector<std::string> IdScan::texts(std::span<const RowId> rows) {
    return reader_.gather_text(rows, scratch_);
}

void IdScan::read_keys(RowRange rows, IdTallies& tallies) {
    std::vector<RowId> list(static_cast<std::size_t>(rows.size()));
    std::iota(list.begin(), list.end(), rows.begin);
    if (is_text()) {
        read_texts(list, tallies);
    } else {
        read_integers(list, tallies);
    }
}

void IdScan::read_texts(std::span<const RowId> rows, IdTallies& tallies) {
    const std::vector<std::string> values = texts(rows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (values[i].empty()) {
            tallies.empty.add(rows[i]);
        } else {
            keys_.push_back({hash_of(values[i]), rows[i]});
        }
    }
}

// Rows that cannot be read are found by halving.
void IdScan::read_integers(std::span<const RowId> rows, IdTallies& tallies) {
    values_.resize(rows.size());
    try {
        reader_.gather_integers(rows, values_, scratch_);
    } catch (const Error& error) {
        if (error.code() != ExitCode::bad_data) throw;
        if (rows.size() == 1) {
            tallies.unreadable.add(rows[0]);
            return;
        }
        const std::size_t half = rows.size() / 2;
        read_integers(rows.first(half), tallies);
        read_integers(rows.subspan(half), tallies);
        return;
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (values_[i] < 0) {
            tallies.negative.add(rows[i]);
        } else {
            keys_.push_back({static_cast<std::uint64_t>(values_[i]), rows[i]});
        }
    }
}

}  // namespace sluice::pool
