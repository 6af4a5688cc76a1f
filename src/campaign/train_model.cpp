#include "campaign/train_model.hpp"

#include "campaign/output_paths.hpp"
#include "campaign/train_over_ranks.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/phase.hpp"
#include "core/stop.hpp"
#include "labels/training_labels.hpp"
#include "model/model_file.hpp"

#include <chrono>
#include <utility>

namespace sluice::campaign {
namespace {

model::TrainingSet read_labels(const TrainRequest& request, comm::Communicator& world) {
    if (request.pool.files.empty()) {
        enter_phase("read labels");
        return labels::read_training_set(request.labels, nullptr, request.num_classes, world);
    }
    enter_phase("open pool");
    const pool::Pool pool = pool::open_pool(request.pool, world);
    enter_phase("read labels");
    return labels::read_training_set(request.labels, &pool, request.num_classes, world);
}

model::TrainOptions options_for(const TrainRequest& request, const model::TrainingSet& set) {
    model::TrainOptions options = request.options;
    if (request.head == TrainRequest::HeadChoice::given) return options;
    options.head =
        set.task == model::Task::classification ? model::Head::softmax : model::Head::squares;
    return options;
}

void publish(const TrainRequest& request, const TrainReport& report) {
    require(!stop_requested(), ExitCode::try_again,
            stop_text() + " before publishing; run the same command again");
    model::publish_model(request.model_path, report.committee);
    if (!request.curve_path.empty())
        publish_text_file(request.curve_path, curve_csv(report.committee));
    if (!request.json_path.empty()) publish_text_file(request.json_path, train_json(report));
}

}  // namespace

TrainReport train_model(const TrainRequest& request, comm::Communicator& world) {
    const auto started = std::chrono::steady_clock::now();
    world.agree([&] {
        for (const std::string& path : {request.model_path, request.json_path, request.curve_path})
            require_writable(path);
    });
    const model::TrainingSet set = read_labels(request, world);
    const model::TrainOptions options = options_for(request, set);
    enter_phase("train");
    TrainReport report;
    report.committee = train_over_ranks(set, options, world);
    if (request.loss_folds > 0)
        train_loss_head(set, options, request.loss_folds, report.committee, world);
    report.num_labels = set.size();
    report.head = model::head_definition(options.head).name;
    report.model_path = request.model_path;
    world.agree([&] {
        report.quality = model::held_out_quality(set, options, report.committee);
        report.model_hash = model::model_hash(report.committee);
    });
    report.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    enter_phase("publish");
    world.agree([&] {
        if (world.is_root()) publish(request, report);
    });
    return report;
}

}  // namespace sluice::campaign
