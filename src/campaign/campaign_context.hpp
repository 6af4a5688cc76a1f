#pragma once

#include "campaign/arm.hpp"
#include "campaign/campaign_spec.hpp"
#include "campaign/stop_set.hpp"
#include "comm/communicator.hpp"
#include "labels/label_source.hpp"
#include "model/training_set.hpp"
#include "oracle/spec.hpp"
#include "pool/pool.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::campaign {

/// What all rounds of a campaign share; the same on all ranks unless noted.
struct CampaignContext {
    CampaignSpec spec;
    pool::Pool pool;
    std::string fingerprint;
    std::optional<oracle::Spec> oracle;          ///< if this job runs it
    std::map<std::string, std::string> content;  ///< hashes of what files hold, by key
    std::vector<Arm> arms;                       ///< the campaign's own first
    RowsWithFeatures stop_set;                   ///< on rank 0
    std::vector<RowId> test_rows;                ///< drawn for testing, ascending
    std::string test_batch_id;                   ///< of the batch they are in
    std::optional<model::TrainingSet> test;      ///< once it is labeled
    std::int64_t num_given = 0;                  ///< labels that were there already

    const Arm& active() const { return arms.front(); }

    /// Whose files tell of that round of an arm: arms share the rounds before there is a model.
    const Arm& owner(const Arm& arm, std::int64_t round) const {
        return round < arm.first_round ? active() : arm;
    }

    /// The labels that an arm's model of that round is trained on.
    std::vector<labels::LabelSource> labels(const Arm& arm, std::int64_t last_round) const;

    /// Where test rows wait for labels, and where these go.
    std::string test_queue() const { return spec.directory + "/test/queue"; }
    std::string test_labels() const { return spec.directory + "/test/labels"; }
    std::string test_record() const { return spec.directory + "/test/labels.csv"; }

    /// See science_of_round(); with what files hold.
    std::map<std::string, std::string> science(std::int64_t round) const;
};

/// A context without the pool and what is in it: enough for what reads a campaign's own files.
CampaignContext context_of_files(CampaignSpec spec);

/// Reads what a campaign needs, and makes its directories unless it only looks. Throws AgreedError
/// for whatever is missing or wrong. \collective
enum class Access { look, write };
CampaignContext open_campaign(CampaignSpec spec, Access access, comm::Communicator& world);

/// Throws Error(bad_config), naming the key, if the campaign file has changed in a way that alters
/// a round that has begun. For rank 0.
void require_same_science(const CampaignContext& context);

}  // namespace sluice::campaign
