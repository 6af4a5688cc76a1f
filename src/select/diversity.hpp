#pragma once

#include "comm/communicator.hpp"
#include "core/progress.hpp"
#include "core/types.hpp"
#include "kernels/nearest_center.hpp"

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::select {

enum class Metric { euclidean, cosine };

/// A squared distance of features (as read_features gives them) in the metric: the root, or half of
/// it, which is 1 - cosine.
float distance_of(float squared, Metric metric);

/// What a diversity rule picks from: one rank's share of a shortlist, in memory. Shares of
/// different ranks are disjoint; a share may be empty.
struct ShortlistShare {
    /// Calls what it is given with the features of some centres [n,D] after the other; the same
    /// calls on all ranks.
    using VisitCenters = std::function<void(const std::function<void(kernels::MatrixView)>&)>;

    std::span<const RowId> rows;         ///< ascending
    std::span<const float> scores;       ///< [rows], finite
    kernels::MatrixView features;        ///< [rows, D]; of unit length for the cosine
    std::span<const float> member_says;  ///< [rows, M, C] class probabilities of the members;
                                         ///< empty unless the rule asks for them
    std::int64_t members = 0;            ///< M
    std::int64_t classes = 0;            ///< C
    std::int64_t num_centers = 0;        ///< labeled and issued rows, the same on all ranks
    VisitCenters visit_centers;          ///< \collective
};

/// The numbers that rules take; NaN stands for the rule's own choice.
struct DiversityParameters {
    double strength = std::numeric_limits<double>::quiet_NaN();  ///< of the score, >= 0
    double sigma = std::numeric_limits<double>::quiet_NaN();     ///< noise of a model, > 0
    double radius = std::numeric_limits<double>::quiet_NaN();    ///< length of a kernel, > 0
};

/// How to pick; the same on all ranks.
struct DiversityOptions {
    std::int64_t num_picks = 0;
    Metric metric = Metric::euclidean;
    std::uint64_t seed = 0;  ///< with `round`: of random choices
    std::uint32_t round = 1;
    DiversityParameters parameters = {};
    kernels::Backend backend = kernels::Backend::cpu;
    int num_threads = 1;
    Progress* progress = nullptr;  ///< counts picks; may be null
};

struct DiversePick {
    RowId row = 0;
    float value = 0.0F;  ///< what the rule's `value` says
};

struct DiverseBatch {
    std::vector<DiversePick> picks;  ///< in order, no row twice; the same on all ranks
    /// Largest distance of a row of the shortlist to its nearest centre or pick; NaN: not known.
    float covering_radius = std::numeric_limits<float>::quiet_NaN();
    std::int64_t rounds = 0;          ///< exchanges between ranks, of any size
    std::int64_t rows_refreshed = 0;  ///< rows looked at again, on this rank
};

/// How much there is to pick from, for a forecast.
struct DiversitySizes {
    std::int64_t shortlist_rows = 0;
    std::int64_t share_rows = 0;  ///< of one rank, at most
    std::int64_t dim = 0;
    std::int64_t member_floats = 0;  ///< M x C; 0 unless the rule asks for them
    std::int64_t num_picks = 0;
    std::int64_t num_centers = 0;
    int num_threads = 1;
};

struct DiversityForecast {
    std::int64_t memory_bytes = 0;  ///< of one rank, beyond the share
    std::int64_t rounds = 0;
    std::int64_t bytes_received = 0;  ///< by one rank
};

/// A stage 2 rule; the registry behind `--diversify`, help and `check`. Both stages know no more of
/// a rule than this.
struct DiversityDefinition {
    std::string name;
    std::vector<std::string> aliases;
    std::string summary;
    std::string value = {};  ///< what DiversePick::value is
    bool needs_features = false;
    bool needs_members = false;   ///< class probabilities
    std::string parameters = {};  ///< names of those it takes, with a blank between
    bool values_cover = false;    ///< the value of a pick is the radius that the earlier ones leave
    /// Picks min(num_picks, rows of all shares) rows. The same picks and values, bit for bit, for
    /// any number of ranks and any way of sharing. Null for `none`. \collective
    DiverseBatch (*pick)(const ShortlistShare&, const DiversityOptions&,
                         comm::Communicator&) = nullptr;
    DiversityForecast (*forecast)(const DiversitySizes&) = nullptr;
};

/// Every diversity rule (`none` first).
const std::vector<DiversityDefinition>& diversity_definitions();

/// The definition whose name or alias is `name`; throws Error(usage) naming the nearest one.
const DiversityDefinition& find_diversity(std::string_view name);

/// Throws Error(usage) for parameters that the rule does not take or that are out of range.
void check_parameters(const DiversityDefinition& rule, const DiversityParameters& parameters);

}  // namespace sluice::select
