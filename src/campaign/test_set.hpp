#pragma once

#include "campaign/campaign_context.hpp"
#include "campaign/settle_batch.hpp"
#include "comm/communicator.hpp"

#include <optional>

namespace sluice::campaign {

/// Draws the rows to test on, if the campaign draws some, and publishes them as a batch in
/// test/queue: rows by chance that no arm ever asks for. Finds them again. \collective
void draw_test_rows(CampaignContext& context, comm::Communicator& world);

/// That batch; nothing without one.
std::optional<WaitingBatch> test_batch(const CampaignContext& context);

/// Reads the labels of the test rows into the context, once they are there. Items without a label
/// are left out. Throws AgreedError(bad_data) if none has one, or for labels that cannot be.
/// \collective
void read_test_set(CampaignContext& context, comm::Communicator& world);

}  // namespace sluice::campaign
