#include "select/diversity/centers.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace sluice::select {

std::vector<float> nearest_centers(const ShortlistShare& share, const DiversityOptions& options,
                                   std::vector<std::int32_t>* numbers) {
    std::vector<float> nearest(share.rows.size(), std::numeric_limits<float>::infinity());
    std::vector<std::int64_t> all(numbers == nullptr ? 0 : share.rows.size());
    std::iota(all.begin(), all.end(), std::int64_t{0});
    if (numbers != nullptr) numbers->assign(share.rows.size(), -1);
    std::int32_t first = 0;
    const auto relax = [&](kernels::MatrixView centers) {
        if (numbers == nullptr) {
            kernels::relax_nearest(options.backend, share.features, centers, nearest,
                                   options.num_threads);
        } else {
            kernels::relax_nearest_of(options.backend, share.features, all, centers,
                                      {nearest, *numbers, first}, options.num_threads);
        }
        first += static_cast<std::int32_t>(centers.rows);
    };
    if (share.num_centers > 0) share.visit_centers(relax);
    return nearest;
}

RowId best_scored(const ShortlistShare& share, comm::Communicator& world) {
    std::vector<Candidate> best;
    for (std::size_t i = 0; i < share.rows.size(); ++i) {
        const Candidate candidate{share.scores[i], share.rows[i]};
        if (best.empty()) best.push_back(candidate);
        if (better(candidate, best.front())) best.front() = candidate;
    }
    best = world.all_gather(std::span<const Candidate>(best));
    return best.empty() ? -1 : std::min_element(best.begin(), best.end(), better)->row;
}

std::int64_t find_row(const ShortlistShare& share, RowId row) {
    const auto found = std::lower_bound(share.rows.begin(), share.rows.end(), row);
    return found != share.rows.end() && *found == row ? found - share.rows.begin() : -1;
}

}  // namespace sluice::select
