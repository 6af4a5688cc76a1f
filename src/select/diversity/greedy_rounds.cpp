#include "select/diversity/greedy_rounds.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace sluice::select {
namespace {

// A local index orders as its row does.
bool is_better(const BoundOfRow& left, const BoundOfRow& right) {
    return left.gain > right.gain || (left.gain == right.gain && left.local < right.local);
}

}  // namespace

std::vector<std::int64_t> locals_of(const std::vector<BoundOfRow>& rows) {
    std::vector<std::int64_t> locals(rows.size());
    std::transform(rows.begin(), rows.end(), locals.begin(),
                   [](const BoundOfRow& one) { return one.local; });
    return locals;
}

std::int64_t keep_best(std::vector<BoundOfRow>& rows, std::int64_t count) {
    if (std::ssize(rows) < count) return -1;
    std::nth_element(rows.begin(), rows.begin() + (count - 1), rows.end(), is_better);
    rows.resize(static_cast<std::size_t>(count));
    return count - 1;
}

std::vector<BoundOfRow> take_best(std::vector<BoundOfRow>& rows, std::int64_t count) {
    constexpr std::int64_t sampled = 1024;
    if (std::ssize(rows) <= count) return std::exchange(rows, {});
    // The bar is one of the sampled gains, so that some row passes it.
    std::vector<double> sample;
    const std::int64_t step = std::max<std::int64_t>(1, std::ssize(rows) / sampled);
    for (std::int64_t i = 0; i < std::ssize(rows); i += step)
        sample.push_back(rows[static_cast<std::size_t>(i)].gain);
    const auto place = sample.begin() + std::ssize(sample) * count / std::ssize(rows);
    std::nth_element(sample.begin(), place, sample.end(), std::greater<>());
    const double bar = *place;
    std::vector<BoundOfRow> best;
    std::erase_if(rows, [&](const BoundOfRow& one) {
        if (!(one.gain >= bar)) return false;
        best.push_back(one);
        return true;
    });
    return best;
}

DiversityForecast forecast_in_rounds(const DiversitySizes& sizes, std::int64_t width) {
    constexpr std::int64_t picks_a_round = 40;
    const std::int64_t row_bytes = width * static_cast<std::int64_t>(sizeof(float)) + 32;
    const std::int64_t panel = std::min(most_rows_of_a_panel, sizes.shortlist_rows);
    const std::int64_t picks = std::min(sizes.num_picks, sizes.shortlist_rows);
    DiversityForecast forecast;
    forecast.rounds = (picks + picks_a_round - 1) / picks_a_round + 1;
    forecast.memory_bytes = sizes.share_rows * 56 + 3 * panel * row_bytes + 2 * picks * row_bytes;
    forecast.bytes_received = forecast.rounds * panel * row_bytes;
    return forecast;
}

}  // namespace sluice::select
