#include "select/refresh_best.hpp"

#include "select/shortlist.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace sluice::select {
namespace {

// Up to this many bytes of keys a rank receives them all sooner than histograms of them.
constexpr std::int64_t gathered_bytes = std::int64_t{64} << 10;

// The `count` best rows of all ranks so far.
class BestRows {
  public:
    BestRows(std::int64_t count, const Candidate& floor, comm::Communicator& world)
        : count_(count), bar_(floor), world_(world) {}

    void offer(const Candidate& candidate) {
        if (better(candidate, bar_)) kept_.push_back(candidate);
    }

    // Drops what is not among the best of all ranks, and raises the bar to the last place of the
    // list once that is full. \collective
    void settle() {
        const std::int64_t most_gathered =
            count_ * world_.size() * static_cast<std::int64_t>(sizeof(Candidate));
        if (most_gathered <= gathered_bytes) {
            gather();
        } else {
            kept_ = keep_global_best(std::move(kept_), count_, world_);
            raise_bar();
        }
    }

    const std::vector<Candidate>& mine() const { return kept_; }

    // Only a candidate better than this one can enter the list; the same on all ranks.
    const Candidate& bar() const { return bar_; }

  private:
    void gather() {
        if (static_cast<std::int64_t>(kept_.size()) > count_) {
            std::nth_element(kept_.begin(), kept_.begin() + (count_ - 1), kept_.end(), better);
            kept_.resize(static_cast<std::size_t>(count_));
        }
        std::vector<Candidate> all = world_.all_gather(std::span<const Candidate>(kept_));
        if (static_cast<std::int64_t>(all.size()) < count_) return;
        std::nth_element(all.begin(), all.begin() + (count_ - 1), all.end(), better);
        bar_ = all[static_cast<std::size_t>(count_ - 1)];
        std::erase_if(kept_, [this](const Candidate& one) { return better(bar_, one); });
    }

    void raise_bar() {
        struct Share {
            Candidate worst{std::numeric_limits<float>::infinity(), -1};
            std::int64_t size = 0;
        };
        Share mine;
        mine.size = static_cast<std::int64_t>(kept_.size());
        for (const Candidate& candidate : kept_) {
            if (better(mine.worst, candidate)) mine.worst = candidate;
        }
        Share all;
        for (const Share& share : world_.all_gather(std::span<const Share>(&mine, 1))) {
            if (better(all.worst, share.worst)) all.worst = share.worst;
            all.size += share.size;
        }
        if (all.size == count_) bar_ = all.worst;
    }

    std::int64_t count_;
    Candidate bar_;
    comm::Communicator& world_;
    std::vector<Candidate> kept_;
};

// This rank's stale rows in falling order, a chunk at a time. Scans the rows once for many chunks.
class StaleQueue {
  public:
    explicit StaleQueue(const StaleRows& rows) : rows_(rows) {}

    // The best `count` rows left that are better than `bar`, which never falls.
    std::vector<std::int64_t> next(std::int64_t count, const Candidate& bar) {
        std::erase_if(waiting_, [&](const Candidate& one) {
            return !better({one.score, rows_.row(one.row)}, bar);
        });
        if (waiting_.empty() && !all_seen_) {
            const std::int64_t most = std::max(count, scanned_ ? scan_rows : count);
            waiting_ = rows_.best_stale(most, bar);
            all_seen_ = static_cast<std::int64_t>(waiting_.size()) < most;
            scanned_ = true;
        }
        const auto taken = std::min(static_cast<std::ptrdiff_t>(count),
                                    static_cast<std::ptrdiff_t>(waiting_.size()));
        const auto rest = waiting_.end() - taken;
        const auto worse = [](const Candidate& a, const Candidate& b) { return better(b, a); };
        if (taken > 0) std::nth_element(waiting_.begin(), rest, waiting_.end(), worse);
        std::vector<std::int64_t> locals;
        for (auto one = rest; one != waiting_.end(); ++one)
            locals.push_back(one->row);
        waiting_.erase(rest, waiting_.end());
        return locals;
    }

  private:
    static constexpr std::int64_t scan_rows = 65536;

    const StaleRows& rows_;
    std::vector<Candidate> waiting_;  // with local indices
    bool scanned_ = false;
    bool all_seen_ = false;
};

}  // namespace

std::vector<std::int64_t> refresh_best(StaleRows& rows, std::int64_t count, const Candidate& floor,
                                       comm::Communicator& world) {
    constexpr std::int64_t least_chunk = 256;
    BestRows best(count, floor, world);
    for (const Candidate& fresh : rows.best_fresh(count, floor)) {
        best.offer(rows.candidate(fresh.row));
    }
    StaleQueue queue(rows);
    for (std::int64_t chunk = std::max(least_chunk, count / world.size());; chunk *= 2) {
        best.settle();
        const std::vector<std::int64_t> stale = queue.next(chunk, best.bar());
        if (world.sum(static_cast<std::int64_t>(stale.size())) == 0) break;
        rows.refresh(stale);
        for (const std::int64_t local : stale)
            best.offer(rows.candidate(local));
    }
    std::vector<std::int64_t> locals(best.mine().size());
    std::transform(best.mine().begin(), best.mine().end(), locals.begin(),
                   [&](const Candidate& one) { return rows.find(one.row); });
    std::sort(locals.begin(), locals.end());
    return locals;
}

}  // namespace sluice::select
