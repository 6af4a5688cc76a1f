#include "campaign/predict_pool.hpp"

#include "campaign/predict_rows.hpp"
#include "campaign/prediction_file.hpp"
#include "comm/cores.hpp"
#include "core/error.hpp"
#include "core/partition.hpp"
#include "core/phase.hpp"
#include "core/text.hpp"
#include "model/model_file.hpp"
#include "pool/made_file.hpp"
#include "pool/row_reader.hpp"
#include "select/score_input.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>

namespace sluice::campaign {
namespace {

// A block should stay in a core's second-level cache from reading to writing.
constexpr std::int64_t block_bytes = std::int64_t{1} << 20;

std::string dataset_text(const PredictionDataset& dataset) {
    return fmt::format("{} [{}]{}", dataset.name, fmt::join(dataset.row_shape, ","),
                       dataset.kind.empty() ? "" : " of " + dataset.kind + "s");
}

// One prediction of a whole pool, step by step.
class Prediction {
  public:
    Prediction(const PredictRequest& request, comm::Communicator& world)
        : request_(request), world_(world) {}

    PredictResult run() {
        enter_phase("open pool");
        pool::MadeFile file(request_.output_path, world_);
        pool_ = pool::open_pool(request_.pool, world_);
        source_.pool_fingerprint = pool::fingerprint(pool_, world_);
        enter_phase("read model");
        world_.agree([&] {
            read_model();
            choose_blocks();
        });
        try {
            write(file.path());
            file.publish(world_);
        } catch (const comm::AgreedError& error) {
            throw comm::AgreedError(error.code(), file.as_target(error.what()));
        }
        enter_phase("done");
        return result();
    }

  private:
    void read_model() {
        const model::Committee committee = model::read_model(request_.model_path);
        source_.model_hash = model::model_hash(committee);
        source_.target_names = committee.target_names;
        source_.target_units = committee.target_units;
        const kernels::Backend backend =
            kernels::choose_backend(request_.device, world_.local_rank());
        network_ = model::run_network(committee, backend, request_.model_path);
        datasets_ = prediction_datasets(*network_);
        plan_.network = network_.get();
        plan_.features = &select::network_features(pool_, *network_, request_.model_path);
    }

    void choose_blocks() {
        plan_.num_threads =
            request_.num_threads > 0 ? request_.num_threads : comm::cores_of_this_rank(world_);
        plan_.block_rows = request_.block_rows;
        const auto budget = static_cast<std::int64_t>(request_.memory_gib * 0x1p30);
        if (plan_.block_rows == 0) {
            const std::int64_t row_outputs = network_->members() * network_->outputs();
            const std::int64_t most_outputs = std::max<std::int64_t>(
                1, block_bytes / (row_outputs * static_cast<std::int64_t>(sizeof(float))));
            const pool::RowReader reader(*plan_.features);
            plan_.block_rows =
                std::clamp<std::int64_t>(reader.block_rows(block_bytes), 1, most_outputs);
            while (plan_.block_rows > 1 && prediction_memory(plan_) > budget)
                plan_.block_rows /= 2;
        }
        const std::int64_t needed = prediction_memory(plan_);
        require(needed <= budget, ExitCode::usage,
                fmt::format("--memory: predicting needs {} per rank (blocks of {} rows on {} "
                            "thread(s)), more than {}; raise --memory or lower --threads",
                            bytes_text(static_cast<double>(needed)), plan_.block_rows,
                            plan_.num_threads, bytes_text(static_cast<double>(budget))));
    }

    void write(const std::string& path) {
        enter_phase("predict");
        create_prediction_file(path, pool_.num_rows, source_, datasets_, world_);
        const RowRange mine = part_of_rows(pool_.num_rows, world_.rank(), world_.size());
        UnpredictedRows unpredicted;
        world_.agree([&] {
            if (mine.empty()) return;
            PredictionWriter writer(path, datasets_);
            unpredicted = predict_rows(plan_, mine, writer);
            writer.close();
        });
        num_unpredicted_ = world_.sum(unpredicted.count);
        if (num_unpredicted_ > 0 && request_.bad_rows == select::BadRows::refuse)
            refuse(unpredicted);
        enter_phase("publish");
    }

    // Ranks hold ascending rows, so the lowest rank with a bad row holds the lowest bad row.
    void refuse(const UnpredictedRows& unpredicted) {
        const std::int64_t owner =
            world_.min(unpredicted.first >= 0 ? world_.rank() : world_.size());
        std::string message = unpredicted.reason;
        world_.broadcast(message, static_cast<int>(owner));
        if (num_unpredicted_ > 1)
            message += " (first of " + count_text(num_unpredicted_) + " such rows)";
        throw comm::AgreedError(ExitCode::bad_data,
                                message + "; repair the pool or pass --bad-rows skip");
    }

    PredictResult result() const {
        PredictResult result;
        result.num_rows = pool_.num_rows;
        result.num_skipped = num_unpredicted_;
        result.model_hash = source_.model_hash;
        for (const PredictionDataset& dataset : datasets_)
            result.datasets.push_back(dataset_text(dataset));
        return result;
    }

    const PredictRequest& request_;
    comm::Communicator& world_;
    pool::Pool pool_;
    std::shared_ptr<const kernels::CommitteeNetwork> network_;
    PredictionPlan plan_;
    PredictionSource source_;
    std::vector<PredictionDataset> datasets_;
    std::int64_t num_unpredicted_ = 0;
};

}  // namespace

PredictResult predict_pool(const PredictRequest& request, comm::Communicator& world) {
    return Prediction(request, world).run();
}

}  // namespace sluice::campaign
