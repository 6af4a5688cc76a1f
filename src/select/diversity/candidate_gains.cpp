#include "select/diversity/candidate_gains.hpp"

#include "kernels/similarity_rows.hpp"
#include "kernels/worker_pool.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace sluice::select {
namespace {

constexpr std::int64_t rows_a_block = 32;
// Of candidates whose similarities are not kept: a thread has memory for so many.
constexpr std::int64_t bare_rows_a_block = 8;

// work(first, count) for blocks of rows.
template <typename Work>
void by_blocks(int num_threads, std::int64_t block_rows, std::int64_t num_rows, const Work& work) {
    kernels::parallel_for(num_threads, (num_rows + block_rows - 1) / block_rows,
                          [&](std::int64_t block) {
                              const std::int64_t first = block * block_rows;
                              work(first, std::min(block_rows, num_rows - first));
                          });
}

// Floats that may be kept of each candidate: all similarities, or an even number for a list.
std::int64_t room_of(std::int64_t own_rows, std::int64_t all_rows, std::int64_t most_bytes) {
    const std::int64_t most = most_bytes / static_cast<std::int64_t>(sizeof(float));
    if (own_rows == 0) return 0;
    if (own_rows * all_rows <= most) return all_rows;
    return most / 2 / own_rows / 2 * 2;
}

using FourFloats = float __attribute__((vector_size(16)));

// A square of 4 x 4 numbers, its rows `stride` from each other in both.
void transpose_four(const float* from, float* to, std::int64_t stride) {
    FourFloats row[4];
    for (int i = 0; i < 4; ++i)
        std::memcpy(&row[i], from + i * stride, sizeof row[i]);
    const FourFloats low[2] = {__builtin_shufflevector(row[0], row[1], 0, 4, 1, 5),
                               __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5)};
    const FourFloats high[2] = {__builtin_shufflevector(row[0], row[1], 2, 6, 3, 7),
                                __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7)};
    row[0] = __builtin_shufflevector(low[0], low[1], 0, 1, 4, 5);
    row[1] = __builtin_shufflevector(low[0], low[1], 2, 3, 6, 7);
    row[2] = __builtin_shufflevector(high[0], high[1], 0, 1, 4, 5);
    row[3] = __builtin_shufflevector(high[0], high[1], 2, 3, 6, 7);
    for (int i = 0; i < 4; ++i)
        std::memcpy(to + i * stride, &row[i], sizeof row[i]);
}

std::vector<std::uint64_t> bits_of(std::int64_t num_rows) {
    return std::vector<std::uint64_t>(static_cast<std::size_t>((num_rows + 63) / 64));
}

}  // namespace

CandidateGains::CandidateGains(const ShortlistShare& share, const AllRows& all,
                               const Similarity& similarity, int num_threads,
                               std::int64_t most_bytes)
    : share_(share),
      rows_(all, similarity),
      all_rows_(all.size()),
      num_threads_(num_threads),
      room_(room_of(std::ssize(share.rows), all.size(), most_bytes)),
      kept_(std::ssize(share.rows) * room_),
      form_(share.rows.size(), Kept::nothing),
      sizes_(share.rows.size(), 0),
      gains_(share.rows.size(), 0.0) {}

std::span<const float> CandidateGains::kept_similarities(std::int64_t local) const {
    return {kept_.data() + local * room_, static_cast<std::size_t>(width())};
}

std::span<const SimilarRow> CandidateGains::kept_list(std::int64_t local) const {
    return {reinterpret_cast<const SimilarRow*>(kept_.data() + local * room_),
            static_cast<std::size_t>(list_size(local))};
}

// Similarities to the rows before `first` of that many candidates, where this rank has all rows:
// s_ij = s_ji, to the bit, and the others have those.
void CandidateGains::mirror(std::int64_t first, std::int64_t count) {
    constexpr std::int64_t ahead = 32;
    const std::int64_t whole = count / 4 * 4;
    const float* from = kept_.data() + first;
    float* to = place(first);
    // Each row of the source is another page of memory: it is sent for early.
    for (std::int64_t j = 0; j < first; j += 4, from += 4 * width(), to += 4) {
        for (std::int64_t next = j + ahead; next < std::min(j + ahead + 4, first); ++next) {
            __builtin_prefetch(kept_.data() + next * width() + first);
            __builtin_prefetch(kept_.data() + next * width() + first + 16);
        }
        for (std::int64_t i = 0; i < whole; i += 4)
            transpose_four(from + i, to + i * width(), width());
        for (std::int64_t i = whole; i < count; ++i) {
            for (std::int64_t k = 0; k < 4; ++k)
                to[i * width() + k] = from[k * width() + i];
        }
    }
}

void CandidateGains::look_at_all(const Cover& cover) {
    const std::int64_t own = std::ssize(share_.rows);
    if (!keeps_similarities()) {
        std::vector<std::int64_t> locals(share_.rows.size());
        std::iota(locals.begin(), locals.end(), std::int64_t{0});
        return refresh(locals, cover);
    }
    const bool is_square = own == width();
    const auto features = [&](std::int64_t first, std::int64_t count) {
        return kernels::MatrixView{share_.features.row(first), count, share_.features.dim};
    };
    by_blocks(num_threads_, rows_a_block, is_square ? own : 0,
              [&](std::int64_t first, std::int64_t count) {
                  rows_.fill_rows_from(first, features(first, count), place(first));
              });
    // While a block is in cache its sums cost no pass over memory of their own.
    by_blocks(num_threads_, rows_a_block, own, [&](std::int64_t first, std::int64_t count) {
        if (is_square)
            mirror(first, count);
        else
            rows_.fill_rows_from(0, features(first, count), place(first));
        kernels::uncovered_sums({place(first), static_cast<std::size_t>(count * width())},
                                cover.covered, cover.weights,
                                std::span(gains_).subspan(static_cast<std::size_t>(first),
                                                          static_cast<std::size_t>(count)));
        std::fill_n(sizes_.begin() + first, count, width() + 3);
        std::fill_n(form_.begin() + first, count, Kept::similarities);
    });
}

// work(i, similarities of candidate locals[i] to all rows) of those of which no list is kept.
template <typename Work>
void CandidateGains::for_similarities(std::span<const std::int64_t> locals,
                                      const Work& work) const {
    const std::int64_t dim = share_.features.dim;
    const auto look = [&](std::int64_t first, std::int64_t count) {
        std::vector<std::int64_t> bare;
        std::vector<float> features;
        for (std::int64_t i = first; i < first + count; ++i) {
            const std::int64_t local = locals[static_cast<std::size_t>(i)];
            switch (form_[static_cast<std::size_t>(local)]) {
                case Kept::list:
                    break;
                case Kept::similarities:
                    work(i, kept_similarities(local));
                    break;
                case Kept::nothing:
                    bare.push_back(i);
                    features.insert(features.end(), share_.features.row(local),
                                    share_.features.row(local) + dim);
            }
        }
        if (bare.empty()) return;
        std::vector<float> similar(bare.size() * static_cast<std::size_t>(width()));
        rows_.fill_rows({features.data(), std::ssize(bare), dim}, similar);
        for (std::size_t i = 0; i < bare.size(); ++i) {
            work(bare[i],
                 std::span<const float>(similar).subspan(i * static_cast<std::size_t>(width()),
                                                         static_cast<std::size_t>(width())));
        }
    };
    by_blocks(num_threads_, bare_rows_a_block, std::ssize(locals), look);
}

void CandidateGains::look_at(std::int64_t local, std::span<const float> similar,
                             const Cover& cover) {
    std::vector<std::uint64_t> above = bits_of(width());
    const auto i = static_cast<std::size_t>(local);
    const kernels::Uncovered marked =
        kernels::mark_uncovered(similar, cover.covered, cover.weights, above);
    gains_[i] = marked.sum;
    sizes_[i] = 4 * marked.longest_chain;
    // An entry of a list takes twice the memory of a similarity, and several times its time.
    if (sizes_[i] > room_ / (keeps_similarities() ? 6 : 2)) return;
    const UncoveredRows list = list_uncovered(above, marked.longest_chain, similar);
    std::copy(list.begin(), list.end(), reinterpret_cast<SimilarRow*>(place(local)));
    form_[i] = Kept::list;
}

void CandidateGains::refresh_list(std::int64_t local, const Cover& cover) {
    const auto i = static_cast<std::size_t>(local);
    std::span<SimilarRow> list(reinterpret_cast<SimilarRow*>(place(local)),
                               static_cast<std::size_t>(list_size(local)));
    gains_[i] = uncovered_sum_of_rest(list, cover.covered, cover.weights);
    sizes_[i] = std::ssize(list);
}

void CandidateGains::refresh(std::span<const std::int64_t> locals, const Cover& cover) {
    by_blocks(num_threads_, rows_a_block, std::ssize(locals),
              [&](std::int64_t first, std::int64_t count) {
                  for (std::int64_t i = first; i < first + count; ++i) {
                      const std::int64_t local = locals[static_cast<std::size_t>(i)];
                      if (form_[static_cast<std::size_t>(local)] == Kept::list)
                          refresh_list(local, cover);
                  }
              });
    for_similarities(locals, [&](std::int64_t i, std::span<const float> similar) {
        look_at(locals[static_cast<std::size_t>(i)], similar, cover);
    });
}

std::vector<UncoveredRows> CandidateGains::lists(std::span<const std::int64_t> locals,
                                                 const Cover& cover) const {
    std::vector<UncoveredRows> lists(locals.size());
    for (std::size_t i = 0; i < locals.size(); ++i) {
        if (form_[static_cast<std::size_t>(locals[i])] != Kept::list) continue;
        const std::span<const SimilarRow> kept = kept_list(locals[i]);
        lists[i].assign(kept.begin(), kept.end());
    }
    for_similarities(locals, [&](std::int64_t i, std::span<const float> similar) {
        std::vector<std::uint64_t> above = bits_of(width());
        const kernels::Uncovered marked =
            kernels::mark_uncovered(similar, cover.covered, cover.weights, above);
        lists[static_cast<std::size_t>(i)] = list_uncovered(above, marked.longest_chain, similar);
    });
    return lists;
}

std::int64_t CandidateGains::memory(const DiversitySizes& sizes) {
    constexpr auto real = static_cast<std::int64_t>(sizeof(float));
    const std::int64_t own = std::max<std::int64_t>(sizes.share_rows, 1);
    const std::int64_t room = room_of(own, sizes.shortlist_rows, usual_bytes);
    const std::int64_t blocks = room == sizes.shortlist_rows
                                    ? 0
                                    : sizes.num_threads * bare_rows_a_block * sizes.shortlist_rows;
    // Ends of huge pages, and what each thread's heap holds beside its block.
    const std::int64_t slack = (std::int64_t{2} + sizes.num_threads) << 20;
    return (own * room + blocks + sizes.shortlist_rows * sizes.dim) * real + own * 64 + slack;
}

}  // namespace sluice::select
