#include "core/sha256.hpp"
#include "pool/convert.hpp"
#include "pool/describe.hpp"
#include "pool/pool.hpp"
#include "pool/row_reader.hpp"

#include <algorithm>
#include <vector>

namespace sluice::pool {
namespace {

constexpr RowId max_sample_rows = 1024;

std::vector<RowId> sample_rows(RowId num_rows) {
    const RowId count = std::min(num_rows, max_sample_rows);
    std::vector<RowId> rows;
    for (RowId i = 0; i < count; ++i)
        rows.push_back(i * (num_rows / count) + i * (num_rows % count) / count);
    return rows;
}

// Little-endian whatever the file has, so that the digest speaks of the numbers.
void add_numbers(Sha256& hash, const Dataset& dataset, const std::vector<RowId>& rows) {
    const RowReader reader(dataset);
    RowReader::Scratch scratch;
    std::vector<std::byte> bytes(static_cast<std::size_t>(dataset.row_bytes()));
    for (const RowId row : rows) {
        reader.gather_bytes(std::span(&row, 1), bytes, scratch);
        if (dataset.big_endian) swap_byte_order(bytes, element_bytes(dataset.type));
        hash.update(bytes);
    }
}

void add_text(Sha256& hash, const Dataset& dataset, const std::vector<RowId>& rows) {
    const RowReader reader(dataset);
    RowReader::Scratch scratch;
    for (const std::string& text : reader.gather_text(rows, scratch))
        hash.update(std::to_string(text.size()) + ":" + text);
}

std::string digest(const Pool& pool) {
    Sha256 hash;
    hash.update("sluice-pool 1\nrows " + std::to_string(pool.num_rows) + "\n");
    const std::vector<RowId> rows = sample_rows(pool.num_rows);
    for (const auto& [role, dataset] : pool.datasets) {
        hash.update(role + " " + element_name(dataset.type) + " " + shape_text(dataset.row_shape) +
                    (dataset.is_logit() ? " logit\n" : " probability\n"));
        if (rows.empty()) continue;
        if (dataset.type == ElementType::text)
            add_text(hash, dataset, rows);
        else
            add_numbers(hash, dataset, rows);
    }
    return hash.hex_digest();
}

}  // namespace

std::string fingerprint(const Pool& pool, comm::Communicator& world) {
    std::string text;
    world.agree([&] {
        if (world.is_root()) text = digest(pool);
    });
    world.broadcast(text);
    return text;
}

}  // namespace sluice::pool
