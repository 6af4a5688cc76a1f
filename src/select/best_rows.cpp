#include "select/best_rows.hpp"

#include <algorithm>

namespace sluice::select {
namespace {

constexpr std::size_t centers_at_once = 4096;

}  // namespace

BestRows::BestRows(const pool::Pool& pool, const Plan& plan, std::size_t capacity,
                   std::span<const RowId> centers)
    : all_(plan.copies == Copies::keep ? capacity : 0),
      distinct_(plan.copies == Copies::drop ? capacity : 0) {
    if (plan.copies == Copies::keep) return;
    features_ = &pool.get("features", "--distinct");
    reader_.emplace(*features_);
    read_centers(centers);
}

void BestRows::read_centers(std::span<const RowId> centers) {
    const auto dim = static_cast<std::size_t>(features_->row_elements());
    pool::RowReader::Scratch scratch;
    std::vector<float> values;
    for (std::size_t begin = 0; begin < centers.size(); begin += centers_at_once) {
        const auto rows = centers.subspan(begin, std::min(centers_at_once, centers.size() - begin));
        values.resize(rows.size() * dim);
        reader_->gather(rows, values, scratch);
        for (std::size_t i = 0; i < rows.size(); ++i)
            of_centers_.push_back(row_digest(std::span(values).subspan(i * dim, dim)));
    }
    std::sort(of_centers_.begin(), of_centers_.end());
}

void BestRows::look_at(const kernels::ScoreBlock& block, std::span<const Candidate> passed,
                       Scratch& scratch) const {
    if (!drops_copies()) return;
    const auto dim = static_cast<std::size_t>(features_->row_elements());
    const bool is_read = block.input == kernels::ScoreInput::features;
    if (!is_read) {
        scratch.rows.clear();
        for (const Candidate& candidate : passed)
            scratch.rows.push_back(candidate.row);
        scratch.features.resize(passed.size() * dim);
        reader_->gather(scratch.rows, scratch.features, scratch.reader);
    }
    scratch.digests.clear();
    for (std::size_t i = 0; i < passed.size(); ++i) {
        const auto in_block = static_cast<std::size_t>(passed[i].row - block.rows.begin);
        const float* const row =
            is_read ? block.values + in_block * dim : scratch.features.data() + i * dim;
        scratch.digests.push_back(row_digest({row, dim}));
    }
}

void BestRows::add(std::span<const Candidate> passed, const Scratch& scratch) {
    for (std::size_t i = 0; i < passed.size(); ++i) {
        if (!drops_copies()) {
            all_.offer(passed[i]);
            continue;
        }
        const RowDigest& digest = scratch.digests[i];
        if (!std::binary_search(of_centers_.begin(), of_centers_.end(), digest))
            distinct_.offer({passed[i], digest});
    }
}

const Candidate& BestRows::threshold() const {
    return drops_copies() ? distinct_.threshold() : all_.threshold();
}

std::int64_t BestRows::memory(const pool::Pool& pool, const Plan& plan, std::int64_t capacity,
                              std::int64_t rows) {
    const auto candidate_bytes = static_cast<std::int64_t>(sizeof(Candidate));
    // 2K candidates while collecting, then K sorted ones.
    if (plan.copies == Copies::keep) return std::min(2 * capacity + 1024, rows) * candidate_bytes;
    const pool::Dataset& features = pool.get("features", "--distinct");
    const std::vector<ScoreRead> reads = plan.reads();
    const bool are_read = std::any_of(reads.begin(), reads.end(), [](const ScoreRead& read) {
        return read.input == kernels::ScoreInput::features;
    });
    const std::int64_t of_block = are_read ? 0
                                           : plan.block_rows * features.row_elements() *
                                                 static_cast<std::int64_t>(sizeof(float));
    return DistinctTopK::memory(capacity) + plan.num_buffers * of_block;
}

}  // namespace sluice::select
