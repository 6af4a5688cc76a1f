#include "campaign/select_notes.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace sluice::campaign {

void check_candidates(const SelectRequest& request, const select::Plan& plan) {
    if (request.selection_path.empty() || plan.batch_size == request.plan.batch_size) return;
    throw comm::AgreedError(
        ExitCode::bad_data,
        fmt::format("{}: asks for {} rows, but the pool has {} candidates; lower n_samples, or "
                    "give --batch",
                    request.selection_path, request.plan.batch_size, plan.batch_size));
}

void note_surprises(const SelectRequest& request, const select::Plan& plan,
                    const select::Selection& selection) {
    const auto chosen = static_cast<std::int64_t>(selection.rows.size());
    const bool is_cut = request.plan.batch_cost > 0.0 || request.plan.batch_instances > 0;
    if (chosen < request.plan.batch_size && !is_cut) {
        log_warning(fmt::format("only {} of the {} {} asked for could be chosen",
                                count_text(chosen), count_text(request.plan.batch_size),
                                plan.items.has_items() ? "items" : "rows"));
    }
    if (selection.num_beyond_trust > 0) {
        log_info(count_text(selection.num_beyond_trust) +
                 " rows have scores above --max-score and were passed over");
    }
    if (selection.num_skipped > 0) {
        log_warning(count_text(selection.num_skipped) + " bad rows were skipped");
    }
    if (chosen > 1 && chosen < selection.shortlist_size && selection.covering_radius == 0.0F) {
        log_warning(
            "the batch covers the shortlist at distance 0: it holds duplicates, the "
            "rest was filled in row order; a larger --shortlist may help");
    }
}

}  // namespace sluice::campaign
