#include "campaign/pseudo_labels.hpp"
#include "campaign/round_steps.hpp"
#include "labels/labeled_rows.hpp"

#include <algorithm>
#include <iterator>
#include <span>

// What a round's model is trained on beside labels.

namespace sluice::campaign {

void RoundSteps::label_by_model() {
    const CampaignSpec& spec = context_.spec;
    const double delta = spec.pseudo.delta_of(round_);
    const bool has_judge = round_ > spec.first_round() && round_ - 1 >= spec.start.rounds;
    if (delta <= 0.0 || !has_judge) return;
    std::int64_t is_done = 0;
    std::vector<RowId> held;
    world_.agree([&] {
        if (!world_.is_root()) return;
        is_done = count_pseudo_labels(arm_.pseudo_labels(round_)) ? 1 : 0;
        held = held_out();
    });
    if (world_.max(is_done) != 0) return;
    held = world_.all_gather(std::span<const RowId>(held));
    const RowId num_rows = context_.pool.num_rows;
    const RoundModel judge(context_.owner(arm_, round_ - 1), round_ - 1, num_rows, world_);
    PseudoRequest request{context_.pool, judge, delta, 0, {}, spec.bad_rows, spec.machine};
    request.taken.centers =
        labels::read_labeled_rows(context_.labels(arm_, round_), num_rows, world_);
    request.taken.held_out = held;
    if (!spec.test.labels.empty()) {
        const std::vector<RowId> test =
            labels::read_labeled_rows({{spec.test.labels}}, num_rows, world_);
        request.taken.held_out.clear();
        std::ranges::set_union(held, test, std::back_inserter(request.taken.held_out));
    }
    request.most = spec.pseudo.most_of(std::ssize(request.taken.centers));
    const PseudoLabels found = find_pseudo_labels(request, world_);
    world_.agree([&] {
        if (world_.is_root()) publish_pseudo_labels(arm_.pseudo_labels(round_), round_, found);
    });
}

std::vector<labels::LabelSource> RoundSteps::training_sources() const {
    std::vector<labels::LabelSource> sources = context_.labels(arm_, round_);
    std::int64_t count = 0;
    world_.agree([&] {
        if (world_.is_root()) count = count_pseudo_labels(arm_.pseudo_labels(round_)).value_or(0);
    });
    if (world_.max(count) == 0) return sources;
    // The last one: a label of the oracle's counts before it.
    sources.push_back({arm_.pseudo_labels(round_)});
    sources.back().pseudo_weight = context_.spec.pseudo.weight;
    return sources;
}

}  // namespace sluice::campaign
