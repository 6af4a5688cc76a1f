#include "report/batch_view.hpp"

#include "report/campaign_files.hpp"
#include "report/pool_view.hpp"

#include <fmt/format.h>

#include <cmath>

namespace sluice::report {
namespace {

std::string score_reason(const BatchLine& line, const std::string& score) {
    if (!std::isfinite(line.share_above)) return fmt::format("{} {:.4g}", score, line.chosen.score);
    if (line.share_above <= 0.0)
        return fmt::format("{} {:.4g}, above all of the pool's sample", score, line.chosen.score);
    return fmt::format("{} {:.4g}, among the highest {:.3g} % of the pool", score,
                       line.chosen.score, 100.0 * line.share_above);
}

std::string distance_reason(const BatchLine& line, const std::string& diversity) {
    const double distance = line.chosen.distance;
    if (diversity == "none" || !std::isfinite(distance)) return {};
    return fmt::format("{:.4g} from the nearest labeled or chosen row ({})", distance, diversity);
}

std::string reason_of(const BatchLine& line, const RoundView& round) {
    if (!round.plan) return {};
    const campaign::BatchStrategy& strategy = round.plan->strategy;
    std::string reason =
        strategy.score == "random" ? "by chance" : score_reason(line, strategy.score);
    const std::string& part = line.chosen.reason;
    if (!part.empty() && part != strategy.diversity && part != strategy.score)
        reason = part + "; " + reason;
    const std::string distance = distance_reason(line, strategy.diversity);
    if (!distance.empty()) reason += "; " + distance;
    return reason;
}

}  // namespace

void view_batch(const std::map<RowId, std::size_t>& regions, ReportData& data) {
    const RoundView* round = last_batch(data);
    if (round == nullptr) return;
    data.batch_round = round->round;
    for (const ChosenRow& chosen : round->chosen) {
        BatchLine line;
        line.chosen = chosen;
        if (data.pool.score.round == round->round)
            line.share_above = share_above(data.pool.score, chosen.score);
        const auto region = regions.find(chosen.row);
        if (region != regions.end()) line.region = region_name(region->second);
        line.reason = reason_of(line, *round);
        data.batch.push_back(std::move(line));
    }
}

}  // namespace sluice::report
