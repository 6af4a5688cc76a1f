#include "select/panel_greedy.hpp"

#include "select/refresh_best.hpp"

#include <optional>

namespace sluice::select {
namespace {

// Rows of the innermost set, each of which sees every pick at once; fits the second-level cache.
constexpr std::int64_t inner_rows = 128;

// The best rows of the panel, with their features laid out for one centre after the other.
class InnerSet {
  public:
    InnerSet(StaleRows& panel, std::vector<std::int64_t> locals)
        : panel_(panel),
          locals_(std::move(locals)),
          center_(locals_.size(), -1),
          out_(locals_.size(), 0),
          packed_(panel.source().features, locals_) {
        for (const std::int64_t local : locals_)
            nearest_.push_back(panel.distance(local));
    }

    // The position of the best row left, -1 without one. Rows ascend: the first maximum wins.
    std::int64_t best() const {
        float distance = no_candidate.score;
        std::int64_t position = -1;
        for (std::size_t i = 0; i < nearest_.size(); ++i) {
            if (nearest_[i] > distance && out_[i] == 0) {
                distance = nearest_[i];
                position = static_cast<std::int64_t>(i);
            }
        }
        return position;
    }

    Candidate candidate(std::int64_t position) const {
        const auto i = static_cast<std::size_t>(position);
        return {nearest_[i], panel_.row(locals_[i])};
    }

    PanelPick pick(std::int64_t position) {
        const auto i = static_cast<std::size_t>(position);
        const PanelPick result{locals_[i], nearest_[i]};
        const float* const features = panel_.source().features.row(locals_[i]);
        out_[i] = 1;
        panel_.take_out(locals_[i]);
        panel_.add_center(features);
        packed_.relax(features,
                      {nearest_, center_, static_cast<std::int32_t>(panel_.num_centers() - 1)});
        return result;
    }

    // Hands the distances back to the panel.
    void release() {
        for (std::size_t i = 0; i < locals_.size(); ++i) {
            const std::int32_t center =
                center_[i] >= 0 ? center_[i] : panel_.state(locals_[i]).center;
            panel_.update(locals_[i], {nearest_[i], center, panel_.num_centers()});
        }
    }

  private:
    StaleRows& panel_;
    std::vector<std::int64_t> locals_;
    std::vector<float> nearest_;
    std::vector<std::int32_t> center_;  // picks alone; -1: no pick came nearer
    std::vector<std::uint8_t> out_;
    kernels::PackedRows packed_;
};

std::optional<std::vector<PanelPick>> pick_on_device(StaleRows& panel, const Candidate& outside,
                                                     std::int64_t num_picks) {
    const StaleRows::Source& source = panel.source();
    std::vector<std::int32_t> center(source.rows.size(), -1);
    std::optional<std::vector<PanelPick>> picks = kernels::pick_on_device(
        {source.features, source.rows, source.nearest, center}, outside, num_picks);
    if (picks) adopt_picks(panel, *picks, center);
    return picks;
}

}  // namespace

void adopt_picks(StaleRows& panel, std::span<const PanelPick> picks,
                 std::span<const std::int32_t> center) {
    const auto num_before = static_cast<std::int32_t>(panel.num_centers());
    for (const PanelPick& pick : picks) {
        panel.take_out(pick.local);
        panel.add_center(panel.source().features.row(pick.local));
    }
    for (std::int64_t local = 0; local < panel.size(); ++local) {
        const std::int32_t pick = center[static_cast<std::size_t>(local)];
        StaleRows::State state = panel.state(local);
        if (pick >= 0) state.center = num_before + pick;
        state.num_seen = panel.num_centers();
        panel.update(local, state);
    }
}

std::vector<PanelPick> panel_greedy(StaleRows& panel, const Candidate& outside,
                                    std::int64_t num_picks, kernels::Backend backend) {
    // Rows that would cost the CPU less than their way to the device and back.
    constexpr std::int64_t worth_sending = 64;
    if (backend == kernels::Backend::cuda && panel.size() >= worth_sending) {
        if (auto picks = pick_on_device(panel, outside, num_picks)) return std::move(*picks);
    }
    comm::Communicator alone;
    std::vector<PanelPick> picks;
    while (static_cast<std::int64_t>(picks.size()) < num_picks) {
        std::vector<std::int64_t> best = refresh_best(panel, inner_rows, outside, alone);
        if (best.empty()) break;
        const Candidate rest = panel.best_outside(best);
        const Candidate bar = better(rest, outside) ? rest : outside;
        InnerSet inner(panel, std::move(best));
        while (static_cast<std::int64_t>(picks.size()) < num_picks) {
            const std::int64_t position = inner.best();
            if (position < 0 || !better(inner.candidate(position), bar)) break;
            picks.push_back(inner.pick(position));
        }
        inner.release();
    }
    return picks;
}

}  // namespace sluice::select
