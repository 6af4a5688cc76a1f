#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// The candidates that are of the same classes in all of several mixes.
struct MixCell {
    std::vector<std::size_t> classes;  ///< of each mix one, an index into its shares
    std::int64_t candidates = 0;
};

/// The shares of a batch that one mix wants of its classes.
struct WantedShares {
    std::vector<double> shares;  ///< [classes] >= 0, together about 1
    double weight = 1.0;         ///< > 0
};

/// How many of `rows` each cell gives, at most its candidates, such that
///     sum over mixes of weight x sum over classes of (rows got - share x rows)^2
/// is small: row after row goes to the cell that makes it least, and then single rows move from one
/// cell to another while that lowers it, the best such move first. Ties go to the earlier cell (of
/// moves: from the earlier, then to the earlier). Fewer rows if the cells have no more. With one
/// mix and enough candidates these are its shares by largest remainders.
std::vector<std::int64_t> deal_by_mixes(std::span<const MixCell> cells,
                                        std::span<const WantedShares> mixes, std::int64_t rows);

}  // namespace sluice::select
