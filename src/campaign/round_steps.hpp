#pragma once

#include "campaign/campaign_context.hpp"
#include "campaign/round_files.hpp"
#include "campaign/round_model.hpp"
#include "campaign/select_round.hpp"
#include "comm/communicator.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::campaign {

/// The steps of one round of one arm. Each is done when its file is there, does nothing then, and
/// is a function of the files of the steps before it: killed at any instant and called again it
/// gives the same files. All are \collective and throw AgreedError.
class RoundSteps {
  public:
    RoundSteps(const CampaignContext& context, const Arm& arm, std::int64_t round,
               comm::Communicator& world)
        : context_(context), arm_(arm), round_(round), world_(world) {}

    /// plan.json: strategy and sizes, which budgets may cut.
    void plan();

    /// The batch, published in the arm's queue; selected.csv and batch.json. False if what is left
    /// of the budget does not pay for a single row: then the round must not be gone on with. (In
    /// another arm than the campaign's own it has no batch then, and goes on.)
    bool select();

    /// Takes results into the labels. Returns how many items wait for a label; if none does,
    /// labels.csv is there.
    std::int64_t ingest();

    /// pseudo/NNNN.h5, if the campaign has the model of the round before label rows; see
    /// model::PseudoRules.
    void label_by_model();

    /// models/NNNN.h5 or models/NNNN.predictions.h5, in rounds after the start. Error(bad_data)
    /// says what to do about labels that cannot be trained on.
    void train();

    /// stop_set.h5 and metrics.json.
    void evaluate();

    /// versions.json: the round is complete.
    void close();

  private:
    bool root_has(const char* name) const;
    RoundPlan make_plan() const;
    RoundRecord record_before() const;
    std::vector<RowId> held_out() const;
    SelectRequest select_request(const RoundPlan& plan) const;
    void name_model(const RoundPlan& plan, SelectRequest& request) const;
    RoundBatch take_batch(const std::string& batch_id) const;
    std::vector<labels::LabelSource> training_sources() const;
    void train_here();
    void train_by_command(const std::vector<labels::LabelSource>& sources);
    void measure_test(const RoundModel& model, RoundRecord& record) const;
    void measure_stop_set(const RoundModel& model, RoundRecord& record) const;
    std::optional<RoundModel> read_round_model() const;
    void count_labels_and_cost(RoundRecord& record) const;
    bool has_model() const { return round_ >= context_.spec.start.rounds; }

    const CampaignContext& context_;
    const Arm& arm_;
    std::int64_t round_;
    comm::Communicator& world_;
};

}  // namespace sluice::campaign
