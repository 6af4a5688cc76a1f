#pragma once

#include "model/committee.hpp"
#include "pool/pool.hpp"
#include "select/diversity.hpp"
#include "select/embedding/embedder.hpp"
#include "select/feature_rows.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sluice::select {

/// What the distances of a diversity are of.
enum class DiversifyOn {
    features,
    covariance,    ///< deviations of a committee's members: inner products are their covariance
    gradients,     ///< of the model's last layer
    all_gradients  ///< of all its layers
};

/// Throws Error(usage) for a name that is not among diversify_on_definitions().
DiversifyOn find_diversify_on(const std::string& name);
const std::string& diversify_on_name(DiversifyOn on);

/// Whether it looks into a model, and not at what it says.
bool needs_model(DiversifyOn on);

struct DiversifyOnDefinition {
    DiversifyOn on;
    std::string name;
    std::string summary;
};
const std::vector<DiversifyOnDefinition>& diversify_on_definitions();

/// What a diversity looks at, as asked for.
struct EmbeddingRule {
    DiversifyOn on = DiversifyOn::features;
    std::int64_t sketch_dim = 0;  ///< length of the vectors; 0 = 512 where gradients have more
    std::uint64_t seed = 0;       ///< of the sketch
};

/// Throws Error(usage) for a rule of diversity, or a length, that does not go with it.
void check_embedding(const EmbeddingRule& rule, const DiversityDefinition& diversity);

/// Embeds features by a model; `network` is what run_network makes of it, `where` its path. Throws
/// Error(usage) for one without a committee, or a sketch that is no shorter.
std::shared_ptr<const Embedder> embed_by_model(
    const EmbeddingRule& rule, const model::Committee& committee,
    const std::shared_ptr<const kernels::CommitteeNetwork>& network, kernels::Backend backend,
    const std::string& where);

/// What stage 2 reads of a row, and makes of it.
struct RowEmbedding {
    EmbeddingRule rule;
    const pool::Dataset* dataset = nullptr;
    std::shared_ptr<const Embedder> embedder;  ///< null: the dataset's numbers as they are

    std::int64_t dim() const { return embedder ? embedder->dim() : dataset->row_elements(); }

    /// Memory of one rank beyond the vectors, with threads as the plan has them.
    std::int64_t memory_bytes(int num_threads) const;
};

/// As the request says: the features, what its model makes of them, or the pool's committee or
/// predictions. Throws Error(usage) for a request, Error(bad_data) for a pool that does not allow
/// it.
RowEmbedding choose_embedding(const pool::Pool& pool, const PlanRequest& request, const Plan& plan);

/// As read_features, of the embedding's vectors. Local.
FeatureRows read_embedded(const RowEmbedding& embedding, const pool::RowReader& reader,
                          const Plan& plan, std::vector<RowId> rows);

}  // namespace sluice::select
