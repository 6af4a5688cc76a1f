#include "select/nearest_rows.hpp"

#include "core/error.hpp"
#include "core/partition.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/task_threads.hpp"
#include "core/text.hpp"
#include "kernels/near_pairs.hpp"
#include "pool/row_reader.hpp"
#include "select/diversity.hpp"
#include "select/feature_rows.hpp"
#include "select/nearest_collector.hpp"

#include <algorithm>
#include <mutex>
#include <string>

namespace sluice::select {
namespace {

// Rows compared between two looks at the limits: no more pairs than these rows have wait at once.
constexpr std::int64_t rows_at_once = 48;

bool contains(std::span<const RowId> sorted, RowId row) {
    return std::binary_search(sorted.begin(), sorted.end(), row);
}

// Rows are dealt out in whole blocks, so that a rank reads whole chunks.
RowRange rows_of_rank(const NearestSearch& search, const comm::Communicator& world) {
    const RowId num_rows = search.features->num_rows;
    const std::int64_t fair = (num_rows + world.size() - 1) / world.size();
    const std::int64_t granule = std::clamp<std::int64_t>(fair, 1, search.block_rows);
    return part_of_rows(num_rows, world.rank(), world.size(), granule);
}

// What one rank's rows came to.
struct Share {
    std::int64_t num_candidates = 0;
    std::int64_t num_bad = 0;
    RowId first_bad = -1;
    std::string first_bad_reason;
};

// The search of one rank: workers draw blocks from a counter, read, and offer what is near enough
// to one collector.
class Stream {
  public:
    Stream(const NearestSearch& search, RowRange rows)
        : search_(search),
          rows_(rows),
          reader_(*search.features),
          threads_(num_blocks(rows, search.block_rows)),
          nearest_(search.queries.rows, search.num_neighbors),
          progress_("searching", rows.size(), "rows",
                    static_cast<double>(search.features->row_bytes())) {}

    Share run() {
        threads_.run(search_.num_threads, [this] { work(); });
        return share_;
    }

    const NearestCollector& nearest() const { return nearest_; }

  private:
    struct Buffers {
        std::vector<float> features;
        std::vector<char> usable;   // [rows of the block] neither excluded nor bad
        std::vector<float> limits;  // [queries] as of the last look
        std::vector<kernels::NearPair> found;
        pool::RowReader::Scratch scratch;
    };

    RowRange block(std::int64_t index) const {
        return block_of_rows(rows_, search_.block_rows, index);
    }

    void work() {
        Buffers buffers;
        look_at_limits(buffers);
        while (const auto index = threads_.next()) {
            require(!stop_requested(), ExitCode::try_again,
                    stop_text() + " while searching; run the same command again");
            if (*index + search_.num_threads < threads_.num_tasks())
                reader_.prefetch(block(*index + search_.num_threads));
            work_on(block(*index), buffers);
        }
    }

    void work_on(RowRange rows, Buffers& buffers) {
        const std::int64_t dim = search_.queries.dim;
        buffers.features.resize(static_cast<std::size_t>(rows.size() * dim));
        reader_.read(rows, buffers.features, buffers.scratch);
        mark_usable(rows, buffers);
        if (search_.metric == Metric::cosine)
            kernels::normalize_rows(buffers.features.data(), rows.size(), dim);
        for (RowId begin = 0; begin < rows.size(); begin += rows_at_once) {
            buffers.found.clear();
            kernels::append_near_pairs({buffers.features.data() + begin * dim,
                                        std::min(rows_at_once, rows.size() - begin), dim},
                                       search_.queries, buffers.limits, buffers.found);
            if (!buffers.found.empty()) offer(rows.begin, begin, buffers);
        }
        progress_.advance(rows.size());
    }

    void mark_usable(RowRange rows, Buffers& buffers) {
        const std::int64_t dim = search_.queries.dim;
        buffers.usable.assign(static_cast<std::size_t>(rows.size()), 1);
        std::int64_t num_candidates = 0;
        for (RowId row = rows.begin; row < rows.end; ++row) {
            const float* const values = buffers.features.data() + (row - rows.begin) * dim;
            const std::string wrong = why_no_distances(values, dim, search_.metric);
            if (!wrong.empty()) note_bad(row, wrong);
            const bool usable = wrong.empty() && !contains(search_.excluded, row);
            buffers.usable[static_cast<std::size_t>(row - rows.begin)] = usable ? 1 : 0;
            num_candidates += usable ? 1 : 0;
        }
        const std::lock_guard lock(mutex_);
        share_.num_candidates += num_candidates;
    }

    void note_bad(RowId row, const std::string& wrong) {
        const std::lock_guard lock(mutex_);
        ++share_.num_bad;
        if (share_.first_bad >= 0 && share_.first_bad < row) return;
        share_.first_bad = row;
        share_.first_bad_reason = pool::location_text(*search_.features, row) + ": " + wrong;
    }

    // Rows of the pairs count from `begin` of the block whose first row is `block_begin`.
    void offer(RowId block_begin, RowId begin, Buffers& buffers) {
        const std::lock_guard lock(mutex_);
        for (const kernels::NearPair& pair : buffers.found) {
            if (buffers.usable[static_cast<std::size_t>(begin + pair.row)] == 0) continue;
            const RowId row = block_begin + begin + pair.row;
            const auto query = static_cast<std::size_t>(pair.query);
            if (!search_.own_rows.empty() && search_.own_rows[query] == row) continue;
            nearest_.offer(pair.query, {pair.squared, row});
        }
        buffers.limits.assign(nearest_.limits().begin(), nearest_.limits().end());
    }

    void look_at_limits(Buffers& buffers) {
        const std::lock_guard lock(mutex_);
        buffers.limits.assign(nearest_.limits().begin(), nearest_.limits().end());
    }

    const NearestSearch& search_;
    RowRange rows_;
    pool::RowReader reader_;
    TaskThreads threads_;  // a task a block
    std::mutex mutex_;     // guards share_, nearest_
    Share share_;
    NearestCollector nearest_;
    Progress progress_;
};

// Ends the job, naming the lowest bad row of all ranks, or counts under BadRows::skip.
std::int64_t settle_bad_rows(const Share& share, BadRows bad_rows, comm::Communicator& world) {
    const std::int64_t num_bad = world.sum(share.num_bad);
    if (num_bad == 0 || bad_rows == BadRows::skip) return num_bad;
    // Ranks hold ascending rows, so the lowest rank with a bad row holds the lowest bad row.
    const std::int64_t owner =
        world.min(share.first_bad >= 0 ? std::int64_t{world.rank()} : std::int64_t{world.size()});
    std::string message = share.first_bad_reason;
    world.broadcast(message, static_cast<int>(owner));
    if (num_bad > 1) message += " (first of " + count_text(num_bad) + " such rows)";
    throw comm::AgreedError(ExitCode::bad_data, message);
}

// Each rank takes in what all ranks found of its share of the queries; all ranks get the result.
std::vector<NearRowOfQuery> merge(const NearestCollector& mine, const NearestSearch& search,
                                  comm::Communicator& world) {
    std::vector<std::vector<NearRowOfQuery>> parts;
    for (int rank = 0; rank < world.size(); ++rank)
        parts.push_back(mine.sorted(part_of_rows(search.queries.rows, rank, world.size())));
    NearestCollector merged(search.queries.rows, search.num_neighbors);
    for (const NearRowOfQuery& found : world.all_to_all(parts))
        merged.offer(found.query, found.near);
    const std::vector<NearRowOfQuery> own =
        merged.sorted(part_of_rows(search.queries.rows, world.rank(), world.size()));
    return world.all_gather(std::span<const NearRowOfQuery>(own));
}

}  // namespace

NearestRows find_nearest_rows(const NearestSearch& search, comm::Communicator& world) {
    const RowRange rows = rows_of_rank(search, world);
    Stream stream(search, rows);
    Share share;
    world.agree([&] { share = stream.run(); });
    NearestRows result;
    result.num_skipped = settle_bad_rows(share, search.bad_rows, world);
    result.num_candidates = world.sum(share.num_candidates);
    result.bytes_read = world.sum(rows.size() * search.features->row_bytes());
    result.neighbors.resize(static_cast<std::size_t>(search.queries.rows));
    for (const NearRowOfQuery& found : merge(stream.nearest(), search, world)) {
        result.neighbors[static_cast<std::size_t>(found.query)].push_back(
            {found.near.row, distance_of(found.near.squared, search.metric)});
    }
    return result;
}

std::int64_t nearest_memory(const NearestSearch& search) {
    const auto real = static_cast<std::int64_t>(sizeof(float));
    const std::int64_t num_queries = search.queries.rows;
    const std::int64_t kept = std::min(search.num_neighbors, search.features->num_rows);
    const std::int64_t found = num_queries * kept;
    // What is kept, the same sent, received, merged and handed out.
    const auto near =
        static_cast<std::int64_t>(sizeof(NearRow) + 3 * sizeof(NearRowOfQuery) + sizeof(Neighbor));
    const std::int64_t pairs =
        rows_at_once * num_queries * static_cast<std::int64_t>(2 * sizeof(kernels::NearPair));
    const std::int64_t per_thread =
        search.block_rows * (search.queries.dim * real + 1) + pairs + num_queries * real +
        pool::RowReader(*search.features).scratch_bytes(search.block_rows);
    return found * near + num_queries * 64 + search.num_threads * per_thread;
}

}  // namespace sluice::select
