#include "select/diversity/greedy_rounds.hpp"

namespace sluice::select {

DiversityForecast forecast_in_rounds(const DiversitySizes& sizes, std::int64_t width) {
    constexpr std::int64_t picks_a_round = 40;
    const std::int64_t row_bytes = width * static_cast<std::int64_t>(sizeof(float)) + 32;
    const std::int64_t panel = std::min(rows_of_a_panel, sizes.shortlist_rows);
    const std::int64_t picks = std::min(sizes.num_picks, sizes.shortlist_rows);
    DiversityForecast forecast;
    forecast.rounds = (picks + picks_a_round - 1) / picks_a_round + 1;
    forecast.memory_bytes = sizes.share_rows * 56 + 3 * panel * row_bytes + 2 * picks * row_bytes;
    forecast.bytes_received = forecast.rounds * panel * row_bytes;
    return forecast;
}

}  // namespace sluice::select
