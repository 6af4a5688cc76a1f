#pragma once

#include "comm/communicator.hpp"
#include "core/error.hpp"
#include "kernels/backend.hpp"
#include "kernels/committee_network.hpp"
#include "kernels/score_rows.hpp"
#include "model/committee.hpp"
#include "pool/pool.hpp"
#include "select/class_mix.hpp"
#include "select/diversity.hpp"
#include "select/item_rule.hpp"
#include "select/randomization.hpp"
#include "select/row_condition.hpp"
#include "select/score_expression.hpp"
#include "select/similar_to.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice::select {

/// What becomes of rows whose data break the contract (non-finite, negative, wrong sum).
enum class BadRows { refuse, skip };

/// Only rows with scores in [low, high] are chosen: below, there is nothing to learn; above, a
/// deviation of physical predictions says that a row is beyond all that is known, and mostly
/// absurd. \source Zhang et al., "DP-GEN", Comput. Phys. Commun. 253 (2020), section 2.2 (trust
/// levels).
struct TrustLevels {
    float low = -std::numeric_limits<float>::infinity();
    float high = std::numeric_limits<float>::infinity();

    friend bool operator==(const TrustLevels&, const TrustLevels&) = default;
};

/// Whether rows of equal features count once: all but the best are passed over, and so are rows
/// equal to a labeled or issued one.
enum class Copies { keep, drop };

/// Whether rows are ranked by their score or by what a label brings for its price.
enum class Price { ignored, divides_score };

/// Whether columns and costs in a score may be below 0.
enum class Weights { any, not_negative };

/// Which end of the score comes first. Lowest: ranks, trust levels and what is reported are by the
/// negative of the score.
enum class Order { highest, lowest };

struct CatalogScore;
struct RowEmbedding;

inline constexpr double no_distance = std::numeric_limits<double>::quiet_NaN();

/// One quantity of the score, and what it is computed from.
struct ScoreSource {
    std::string name;                     ///< as in ScoreExpression::sources
    const CatalogScore* score = nullptr;  ///< null: a column or the cost, taken as it is
    kernels::ScoreInput input = kernels::ScoreInput::none;
    std::string role;  ///< dataset it reads; empty for `random`
    std::shared_ptr<const kernels::CommitteeNetwork> losses = {};  ///< what it asks; or null
};

/// A dataset that stage 1 reads.
struct ScoreRead {
    std::string role;
    kernels::ScoreInput input = kernels::ScoreInput::none;
};

/// The science of one selection, checked, and how this job will carry it out.
struct Plan {
    // what
    ScoreExpression score;
    std::vector<ScoreSource> sources;  ///< of score.sources
    Price price = Price::ignored;
    Weights weights = Weights::any;
    Randomization randomization;
    std::shared_ptr<const kernels::CommitteeNetwork> network;  ///< speaks for the features; or null
    std::string diversity;                                     ///< canonical name
    DiversityParameters diversity_parameters;
    Metric metric = Metric::euclidean;
    std::shared_ptr<const RowEmbedding> embedding;  ///< what distances of stage 2 are of
    std::int64_t batch_size = 0;                    ///< B, at most the candidates
    double batch_cost = 0.0;                        ///< most that a batch may cost; 0 = no limit
    std::int64_t num_candidates = 0;                ///< rows that are not taken
    std::int64_t shortlist_size = 0;                ///< K
    std::int64_t scan_size = 0;  ///< rows stage 1 keeps: K, or those whose ranks are drawn from
    std::uint64_t seed = 0;
    std::uint32_t round = 1;
    BadRows bad_rows = BadRows::refuse;
    Copies copies = Copies::keep;
    TrustLevels trust;
    std::vector<RowCondition> conditions;  ///< rows that fail one are never chosen
    ItemRule items;                    ///< with items: batches, shortlists and scores are theirs
    std::int64_t batch_instances = 0;  ///< most rows of a batch's items together; 0 = no limit
    std::shared_ptr<const SimilarTo> similar;  ///< what `similarity` means; or null
    std::int64_t random_rows = 0;              ///< of the batch, drawn from all candidates
    std::optional<ClassRule> class_rule;       ///< what class_mix tells rows apart by
    ClassMix class_mix;
    std::vector<Balance> balances;         ///< of ClassMix::Kind::several
    double distinct_within = no_distance;  ///< rows nearer than that to a better one are passed
                                           ///< over; NaN = not by distance
    double min_distance = 0.0;             ///< the batch ends where rows are nearer than that
    // how
    kernels::Backend backend = kernels::Backend::cpu;
    int num_threads = 1;
    std::int64_t block_rows = 1;
    int num_buffers = 1;             ///< blocks in flight on a rank
    std::int64_t memory_budget = 0;  ///< bytes of a rank for buffers and the shortlist
    // forecast
    std::int64_t scan_bytes = 0;    ///< stored bytes stage 1 reads, all ranks
    std::int64_t gather_bytes = 0;  ///< stored bytes stage 2 reads, all ranks
    std::int64_t memory_base = 0;   ///< this process before buffers (resident set)
    ScoreForecast prepare;          ///< stage 1: what scores need before the first row is scored
    std::int64_t memory_scan = 0;   ///< stage 1: buffers, candidates, prepared scores of one rank
    std::int64_t memory_diversify = 0;  ///< stage 2: features and panels of one rank
    std::int64_t rounds = 0;            ///< of stage 2, estimated
    std::int64_t exchange_bytes = 0;    ///< received by one rank, estimated

    /// Largest resident set of a rank.
    std::int64_t peak_memory() const;

    /// Whether the batch is chosen part by part, see select_parts().
    bool has_parts() const;

    /// Whether rows of the shortlist keep a distance; in batches of parts equal rows, at distance
    /// 0, are found in this way too.
    bool has_distance_limit() const;
    float distance_limit() const;

    /// Rows of the shortlist that a part of so many rows of the batch is chosen from: as large a
    /// share of K, or all of its candidates where K is all of them.
    std::int64_t shortlist_of_part(std::int64_t rows) const;

    /// What rows are ranked by, for people: "entropy per cost, with noise power:1".
    std::string ranking() const;

    /// The datasets that stage 1 reads, each once.
    std::vector<ScoreRead> reads() const;
};

/// What the caller wants; zero means "choose".
struct PlanRequest {
    std::string score = "entropy";   ///< name or alias, or an expression of such
    std::string randomize = "none";  ///< as parse_randomization reads it
    Price price = Price::ignored;
    Weights weights = Weights::any;  ///< negative ones make bad rows
    Order order = Order::highest;
    std::string diversity = "k_center";  ///< name or alias
    DiversityParameters diversity_parameters = {};
    std::string metric = "euclidean";       ///< euclidean or cosine
    std::string diversify_on = "features";  ///< as find_diversify_on reads it
    std::int64_t sketch_dim = 0;            ///< length of its vectors; 0 = EmbeddingRule's
    std::string input = "auto";             ///< auto, probabilities, committee or predictions
    std::shared_ptr<const model::Committee> committee = {};  ///< scores read what it says
    std::string model_path = {};                             ///< of the committee; may be empty
    std::int64_t batch_size = 0;                             ///< B >= 1
    double batch_cost = 0.0;          ///< picks are taken while they cost at most this; 0 = all
    std::int64_t shortlist_size = 0;  ///< K; 0 = 10 x B; never below B or above the candidates
    std::uint64_t seed = 0;
    std::uint32_t round = 1;
    BadRows bad_rows = BadRows::refuse;
    Copies copies = Copies::keep;
    TrustLevels trust = {};            ///< rows with other scores are never chosen
    std::string conditions = {};       ///< as parse_conditions reads them
    std::string items = "none";        ///< as parse_item_rule reads it
    std::int64_t batch_instances = 0;  ///< most rows of a batch's items together; 0 = all
    std::shared_ptr<const SimilarTo> similar = {};  ///< for scores of `similarity`
    double random_share = 0.0;       ///< of the batch, in [0, 1]: rows drawn from all candidates
    std::string class_by = "class";  ///< as parse_class_rule reads it
    ClassMix class_mix = {};         ///< quota or balance of these classes
    std::vector<Balance> balances = {};    ///< several at once, in their place; empty: none
    double distinct_within = no_distance;  ///< >= 0: rows of the shortlist keep that distance
    double min_distance = 0.0;             ///< rows of the batch do, or it ends; 0 = no limit
    kernels::DeviceChoice device = kernels::DeviceChoice::automatic;
    int num_threads = 0;          ///< 0 = this rank's share of the node's cores
    std::int64_t block_rows = 0;  ///< rows read at once; 0 = chosen by the reader
    double memory_gib = 1.0;      ///< budget of one rank for buffers and the shortlist
};

/// Rows that cannot be chosen; each list ascending, without repeats.
struct TakenRows {
    std::vector<RowId> centers;   ///< labeled or issued: the centres of stage 2
    std::vector<RowId> held_out;  ///< kept for tests: no centres, and none of them is labeled

    /// All of them, ascending.
    std::vector<RowId> all() const;
};

/// The metric of that name: euclidean or cosine. Throws Error(usage).
Metric find_metric(const std::string& name);

/// Checks the request against the pool (datasets, members, classes, sizes) and fills in the plan.
/// Throws Error(usage) for impossible requests, Error(bad_data) for a pool or model that lacks what
/// they need; the same on all ranks. \collective
Plan make_plan(const pool::Pool& pool, const PlanRequest& request, const TakenRows& taken,
               comm::Communicator& world);

/// The plan as lines for people: what is read, memory a rank, rounds, bytes exchanged.
std::string plan_text(const pool::Pool& pool, const Plan& plan, int num_ranks);

}  // namespace sluice::select
