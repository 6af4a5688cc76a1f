#include "campaign/round_model.hpp"

#include "campaign/pool_predictions.hpp"
#include "core/error.hpp"
#include "model/model_file.hpp"
#include "queue/layout.hpp"

namespace sluice::campaign {

std::string model_file(const Arm& arm, std::int64_t round) {
    for (const std::string& path : {arm.model(round), arm.predictions(round)}) {
        if (queue::exists(path)) return path;
    }
    return {};
}

RoundModel::RoundModel(const Arm& arm, std::int64_t round, RowId num_rows,
                       comm::Communicator& world) {
    world.agree([&] {
        if (!world.is_root()) return;
        path_ = model_file(arm, round);
        require(!path_.empty(), ExitCode::bad_data, arm.model(round) + ": is gone; restore it");
        if (path_ != arm.model(round)) return;
        committee_ = model::read_model(path_);
        hash_ = model::model_hash(*committee_);
    });
    world.broadcast(path_);
    if (path_ == arm.model(round)) return;
    predictions_ = open_predictions(path_, num_rows, world);
    hash_ = pool::fingerprint(*predictions_, world);
}

model::ModelOutputs RoundModel::outputs(std::span<const RowId> rows,
                                        std::span<const float> features, std::int64_t dim) const {
    if (predictions_) return predicted_outputs(*predictions_, rows);
    return model::run_model(*committee_, features, dim, path_);
}

}  // namespace sluice::campaign
