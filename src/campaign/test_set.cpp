#include "campaign/test_set.hpp"

#include "campaign/select_round.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "labels/labels_directory.hpp"
#include "labels/training_labels.hpp"
#include "queue/selected_csv.hpp"

#include <algorithm>
#include <span>

namespace sluice::campaign {
namespace {

// No other selection of a campaign has this number: rounds count from 1.
constexpr std::uint32_t test_round = 0;

}  // namespace

void draw_test_rows(CampaignContext& context, comm::Communicator& world) {
    const CampaignSpec& spec = context.spec;
    if (spec.test.rows == 0) return;
    SelectRequest request;
    request.pool = spec.pool;
    request.queue_directory = context.test_queue();
    if (!spec.start.labels.empty()) request.labels = {{spec.start.labels}};
    request.plan.score = "random";
    request.plan.diversity = "none";
    request.plan.batch_size = spec.test.rows;
    request.plan.shortlist_size = spec.test.rows;
    request.plan.seed = spec.seed;
    request.plan.round = test_round;
    request.plan.bad_rows = spec.bad_rows;
    request.plan.conditions = spec.select.where;
    request.plan.items = spec.select.items;
    request.tag = spec.select.tag;
    request.plan.num_threads = spec.machine.num_threads;
    request.plan.device = spec.machine.device;
    request.plan.memory_gib = spec.machine.memory_gib;
    request.output = SelectRequest::Output::quiet;
    const SelectResult result = select_round(request, world);
    std::vector<RowId> rows;
    world.agree([&] {
        if (!world.is_root()) return;
        const std::string path = result.batch_directory + "/selected.csv";
        rows = queue::rows_of_selected_csv(read_text_file(path), path);
        std::sort(rows.begin(), rows.end());
    });
    context.test_rows = world.all_gather(std::span<const RowId>(rows));
    context.test_batch_id = result.batch_id;
}

std::optional<WaitingBatch> test_batch(const CampaignContext& context) {
    if (context.test_batch_id.empty()) return std::nullopt;
    return WaitingBatch{context.test_queue(), context.test_labels(), context.test_batch_id,
                        context.test_record()};
}

void read_test_set(CampaignContext& context, comm::Communicator& world) {
    const CampaignSpec& spec = context.spec;
    if (!spec.test.is_there() || context.test) return;
    const std::string path = spec.test.labels.empty() ? context.test_labels() : spec.test.labels;
    model::TrainingSet test =
        labels::read_training_set({{path}}, &context.pool, spec.label.classes, world);
    world.agree([&] {
        require(test.size() > 0, ExitCode::bad_data,
                path +
                    ": no test row has a label, so nothing can be tested; look at why the "
                    "oracle failed");
    });
    context.test = std::move(test);
}

}  // namespace sluice::campaign
