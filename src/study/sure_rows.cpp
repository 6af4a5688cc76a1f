#include "study/sure_rows.hpp"

#include "core/top_k.hpp"
#include "kernels/score_rows.hpp"
#include "model/model_outputs.hpp"

#include <algorithm>

namespace sluice::study {

std::vector<SureRow> sure_rows(const std::shared_ptr<const kernels::CommitteeNetwork>& network,
                               std::span<const float> features, std::span<const std::uint8_t> open,
                               double delta, std::int64_t most) {
    const auto scorer = kernels::make_committee_scorer(kernels::Backend::cpu, network,
                                                       kernels::find_score("entropy"));
    std::vector<float> entropies(open.size());
    const auto count = static_cast<RowId>(open.size());
    scorer->score({features.data(), {0, count}, 1, network->dim(), kernels::ScoreInput::features},
                  entropies);
    TopK surest(static_cast<std::size_t>(std::min<std::int64_t>(most, count)));
    const auto bound = static_cast<float>(delta);
    for (std::size_t i = 0; i < open.size(); ++i) {
        if (open[i] != 0 && entropies[i] < bound)
            surest.offer({-entropies[i], static_cast<RowId>(i)});
    }
    std::vector<SureRow> rows;
    for (const Candidate& candidate : surest.take_sorted())
        rows.push_back({candidate.row, 0});
    std::ranges::sort(rows, {}, &SureRow::local);
    std::vector<float> values;
    for (const SureRow& row : rows) {
        const auto begin = features.begin() + row.local * network->dim();
        values.insert(values.end(), begin, begin + network->dim());
    }
    const std::vector<std::int32_t> classes =
        model::outputs_of(*network, model::Task::classification, network->outputs(), values)
            .classes();
    for (std::size_t i = 0; i < rows.size(); ++i)
        rows[i].class_index = classes[i];
    return rows;
}

}  // namespace sluice::study
