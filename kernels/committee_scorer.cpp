#include "core/error.hpp"
#include "kernels/aligned_floats.hpp"
#include "kernels/committee_network_backends.hpp"
#include "kernels/score_rows_cpu.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace sluice::kernels {

namespace {

// Rows whose outputs are scored at a time: few enough to stay in cache.
constexpr std::int64_t most_rows = 256;
constexpr std::int64_t most_floats = 1 << 16;

// Whatever the committee runs on, by way of this machine's memory.
class CommitteeScorer : public Scorer {
  public:
    CommitteeScorer(std::shared_ptr<const CommitteeNetwork> network,
                    const ScoreDefinition& definition)
        : network_(std::move(network)), scorer_(make_scorer(Backend::cpu, definition, 0, 0)) {}

    void score(const ScoreBlock& block, std::span<float> scores) const override {
        const std::int64_t elements = network_->members() * network_->outputs();
        const std::int64_t rows = std::clamp<std::int64_t>(most_floats / elements, 1, most_rows);
        thread_local AlignedFloats outputs;
        float* const values = outputs.reserve(rows * elements);
        for (RowId begin = block.rows.begin; begin < block.rows.end; begin += rows) {
            const RowRange range{begin, std::min(begin + rows, block.rows.end)};
            const std::int64_t first = begin - block.rows.begin;
            network_->run(block.values + first * network_->dim(), range.size(), values);
            scorer_->score(
                {values, range, network_->members(), network_->outputs(), network_->output()},
                scores.subspan(static_cast<std::size_t>(first),
                               static_cast<std::size_t>(range.size())));
        }
    }

  private:
    std::shared_ptr<const CommitteeNetwork> network_;
    std::unique_ptr<Scorer> scorer_;
};

void require_score(bool possible, const ScoreDefinition& definition, const std::string& what) {
    require(possible, ExitCode::usage,
            "--score " + definition.name + ": " + what + "; see 'sluice help select'");
}

/// T of predictions with variances, else C or T.
std::int64_t num_classes(const CommitteeNetwork& network) {
    return network.output() == ScoreInput::gaussian_predictions ? network.outputs() / 2
                                                                : network.outputs();
}

void check_score(const CommitteeNetwork& network, const ScoreDefinition& definition) {
    require_score(std::find(definition.inputs.begin(), definition.inputs.end(), network.output()) !=
                      definition.inputs.end(),
                  definition, "cannot be computed from what this committee says of a row");
    require_score(network.members() >= definition.min_members, definition,
                  "needs " + std::to_string(definition.min_members) +
                      " members, the committee has " + std::to_string(network.members()));
    require_score(num_classes(network) >= definition.min_classes, definition,
                  "needs " + std::to_string(definition.min_classes) +
                      " classes, the committee has " + std::to_string(num_classes(network)));
}

}  // namespace

std::unique_ptr<Scorer> make_committee_scorer(Backend backend,
                                              std::shared_ptr<const CommitteeNetwork> network,
                                              const ScoreDefinition& definition) {
    check_score(*network, definition);
    if (backend == Backend::cuda)
        if (auto scorer = make_committee_scorer_cuda(network, list_index(definition)))
            return scorer;
    return std::make_unique<CommitteeScorer>(std::move(network), definition);
}

}  // namespace sluice::kernels
