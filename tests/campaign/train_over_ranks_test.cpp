#include "campaign/train_over_ranks.hpp"

#include "model/model_file.hpp"
#include "tests/model/training_fixture.hpp"
#include "tests/support/mpi_main.hpp"

#include <gtest/gtest.h>

namespace sluice::campaign {
namespace {

TEST(TrainOverRanks, ranks_together_train_what_one_trains_alone) {
    const model::TrainingSet set = test::made_classes(60, 4, 3);
    model::TrainOptions options = test::small_options();
    options.members = 4;
    options.held_out = 0.4;
    options.dropout_rate = 0.2;
    options.dropout_masks = 2;
    EXPECT_EQ(model::model_image(train_over_ranks(set, options, test::world())),
              model::model_image(model::train_committee(set, options)));
}

}  // namespace
}  // namespace sluice::campaign
