#include "select/mixed_shares.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace sluice::select {
namespace {

constexpr double rounding = 1e-9;  // of a sum of squares that a move must lower

class Deal {
  public:
    Deal(std::span<const MixCell> cells, std::span<const WantedShares> mixes, std::int64_t rows)
        : cells_(cells), mixes_(mixes), given_(cells.size(), 0) {
        for (const WantedShares& mix : mixes) {
            std::vector<double> wanted;
            for (const double share : mix.shares)
                wanted.push_back(share * static_cast<double>(rows));
            got_.emplace_back(wanted.size(), 0);
            wanted_.push_back(std::move(wanted));
        }
    }

    // Whether there was a row left.
    bool give_one() {
        std::size_t best = cells_.size();
        double least = std::numeric_limits<double>::infinity();
        for (std::size_t cell = 0; cell < cells_.size(); ++cell) {
            if (given_[cell] == cells_[cell].candidates) continue;
            const double rise = rise_with(cell);
            if (!(rise < least)) continue;
            least = rise;
            best = cell;
        }
        if (best == cells_.size()) return false;
        add(best, 1);
        return true;
    }

    // Whether there was a move that lowers the sum.
    bool move_one() {
        double least = -rounding;
        std::size_t from = cells_.size();
        std::size_t to = cells_.size();
        for (std::size_t giver = 0; giver < cells_.size(); ++giver) {
            if (given_[giver] == 0) continue;
            const double before = rise_without(giver);
            add(giver, -1);
            for (std::size_t taker = 0; taker < cells_.size(); ++taker) {
                if (taker == giver || given_[taker] == cells_[taker].candidates) continue;
                const double change = before + rise_with(taker);
                if (!(change < least)) continue;
                least = change;
                from = giver;
                to = taker;
            }
            add(giver, 1);
        }
        if (from == cells_.size()) return false;
        add(from, -1);
        add(to, 1);
        return true;
    }

    std::vector<std::int64_t> take() { return std::move(given_); }

  private:
    double lack(std::size_t mix, std::size_t cell) const {
        const std::size_t one = cells_[cell].classes[mix];
        return wanted_[mix][one] - static_cast<double>(got_[mix][one]);
    }

    // Of (lack - 1)^2 over lack^2, and of (lack + 1)^2.
    double rise_with(std::size_t cell) const {
        double rise = 0.0;
        for (std::size_t m = 0; m < mixes_.size(); ++m)
            rise += mixes_[m].weight * (1.0 - 2.0 * lack(m, cell));
        return rise;
    }
    double rise_without(std::size_t cell) const {
        double rise = 0.0;
        for (std::size_t m = 0; m < mixes_.size(); ++m)
            rise += mixes_[m].weight * (1.0 + 2.0 * lack(m, cell));
        return rise;
    }

    void add(std::size_t cell, std::int64_t rows) {
        given_[cell] += rows;
        for (std::size_t m = 0; m < mixes_.size(); ++m)
            got_[m][cells_[cell].classes[m]] += rows;
    }

    std::span<const MixCell> cells_;
    std::span<const WantedShares> mixes_;
    std::vector<std::int64_t> given_;
    std::vector<std::vector<double>> wanted_;     // [mixes, classes] rows
    std::vector<std::vector<std::int64_t>> got_;  // the same
};

}  // namespace

std::vector<std::int64_t> deal_by_mixes(std::span<const MixCell> cells,
                                        std::span<const WantedShares> mixes, std::int64_t rows) {
    Deal deal(cells, mixes, rows);
    for (std::int64_t row = 0; row < rows && deal.give_one(); ++row) {
    }
    while (deal.move_one()) {
    }
    return deal.take();
}

}  // namespace sluice::select
