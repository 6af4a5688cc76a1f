#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "kernels/committee_network.hpp"
#include "kernels/nearest_center.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sluice::select {

/// A score of a row's features that was prepared from the pool or the labeled rows. Immutable, so
/// any number of threads may call it.
class FeatureScore {
  public:
    virtual ~FeatureScore() = default;

    /// scores[i] = the score of features row i, which is row first + i of the pool: a function of
    /// the row and of what was prepared alone, whatever the block. NaN for rows whose features are
    /// not finite or too large (see is_usable).
    virtual void score(kernels::MatrixView features, RowId first,
                       std::span<float> scores) const = 0;
};

/// Where the features of rows are: in a pool or in memory. Any number of threads may read.
class FeatureTable {
  public:
    virtual ~FeatureTable() = default;

    virtual RowId num_rows() const = 0;
    virtual std::int64_t dim() const = 0;
    /// Features of consecutive rows into out [rows, dim].
    virtual void read(RowRange rows, std::span<float> out) const = 0;
    /// Features of the given rows, ascending, into out [rows, dim].
    virtual void gather(std::span<const RowId> rows, std::span<float> out) const = 0;
    /// The start of an error message about a row.
    virtual std::string location(RowId row) const = 0;
};

/// What a feature score is prepared from.
struct ScorePreparation {
    const FeatureTable& features;
    std::span<const RowId> labeled;  ///< or issued; ascending
    std::uint64_t seed = 0;
    int num_threads = 1;
    comm::Communicator& world;
    kernels::Backend backend = kernels::Backend::cpu;
    /// Says the logarithms of losses of rows; null: the model has no loss head, or there is none.
    std::shared_ptr<const kernels::CommitteeNetwork> losses = {};
    std::uint32_t round = 1;     ///< with `seed`: of random choices
    std::int64_t num_picks = 0;  ///< rows (or items) of the batch
};

/// How much there is to prepare from, for a forecast.
struct ScoreSizes {
    RowId num_rows = 0;  ///< of the pool
    std::int64_t dim = 0;
    std::int64_t num_labeled = 0;
    std::int64_t num_picks = 0;
    int num_ranks = 1;
    int num_threads = 1;
};

/// What preparing takes.
struct ScoreForecast {
    std::int64_t memory_bytes = 0;    ///< of one rank
    std::int64_t num_passes = 0;      ///< over all features, before they are scored
    std::int64_t bytes_received = 0;  ///< by one rank
};

/// A score of features; the registry behind `--score`, help, `check` and the tests.
struct FeatureScoreDefinition {
    std::string name;
    std::vector<std::string> aliases;
    std::string summary;
    /// Makes it ready; the same on all ranks, for any number of them: no sums of floating-point
    /// numbers over ranks. Throws on all ranks alike. \collective
    std::unique_ptr<FeatureScore> (*prepare)(const ScorePreparation& from);
    ScoreForecast (*forecast)(const ScoreSizes& sizes);
    bool needs_losses = false;  ///< ScorePreparation::losses must be there
};

/// Every feature score.
const std::vector<FeatureScoreDefinition>& feature_score_definitions();

/// Whether a score can be computed: all finite, and no square overflows float32's range.
bool is_usable(std::span<const float> features);

/// Why a row got NaN, for an error message.
std::string describe_unusable(std::span<const float> features);

}  // namespace sluice::select
