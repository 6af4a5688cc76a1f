#include "campaign/round_files.hpp"

#include "campaign/campaign_history.hpp"
#include "campaign/round_labels.hpp"
#include "core/durable_file.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sluice::campaign {
namespace {

TEST(RoundFiles, read_back_to_the_same_values) {
    const test::TemporaryDirectory directory;
    const Arm arm{"active", directory.path(), 1};
    RoundPlan plan;
    plan.round = 3;
    plan.strategy = {"bald", "none"};
    plan.batch = 7;
    plan.batch_cost = 0.1;
    plan.batch_instances = 40;
    plan.model_round = 2;
    plan.science = {{"a.b", "c \"d\""}};
    RoundRecord record;
    record.round = 3;
    record.labels = 12;
    record.cost = 1.0 / 3.0;
    record.metrics = {{"rmse", 0.1 + 0.2}, {"r2", std::nan("")}};
    record.kappa = 0.7;

    write_plan(arm, plan);
    write_record(arm, record);
    write_batch(arm, 3, {"abc", 5, 3, 9, 2.5, std::numeric_limits<double>::quiet_NaN(), 1.5});
    write_timings(arm, 3, {{{"label", 1.5}, {"train", 2.0}}, 9.0, {}});

    const RoundPlan found = *read_plan(arm, 3);
    EXPECT_EQ(found.strategy, plan.strategy);
    EXPECT_EQ(found.batch_cost, plan.batch_cost);
    EXPECT_EQ(found.batch_instances, 40);
    EXPECT_EQ(found.science, plan.science);
    const RoundRecord same = *read_record(arm, 3);
    EXPECT_EQ(same.cost, record.cost);
    EXPECT_EQ(same.metrics.at("rmse"), record.metrics.at("rmse"));
    EXPECT_TRUE(std::isnan(same.metrics.at("r2")));
    EXPECT_EQ(same.kappa, record.kappa);
    EXPECT_FALSE(same.change);
    EXPECT_EQ(read_batch(arm, 3)->items, 3);
    EXPECT_FALSE(read_batch(arm, 3)->covering_radius);
    EXPECT_EQ(read_batch(arm, 3)->redundancy, 1.5);
    EXPECT_EQ(read_timings(arm, 3)->total(), 3.5);
    EXPECT_FALSE(read_plan(arm, 4));
    EXPECT_FALSE(is_complete(arm, 3));
}

TEST(RoundFiles, timings_tell_of_each_rank) {
    const test::TemporaryDirectory directory;
    const Arm arm{"active", directory.path(), 1};
    RoundTimings timings;
    timings.seconds["select"] = 1.5;
    add_use({{0.5, 100, 7}, {0.25, 50, 9}}, timings.ranks["select"]);
    add_use({{0.5, 1, 0}}, timings.ranks["select"]);
    write_timings(arm, 1, timings);

    const std::vector<RankUse> ranks = read_timings(arm, 1)->ranks.at("select");

    ASSERT_EQ(ranks.size(), 2U);
    EXPECT_EQ(ranks[0].cpu_seconds, 1.0);
    EXPECT_EQ(ranks[0].bytes_read, 101);
    EXPECT_EQ(ranks[1].bytes_received, 9);
    publish_text_file(arm.file(1, round_file::timings),
                      R"({"seconds": {"plan": 2.0}, "total": 2.0, "oracle_seconds": 0.0})");
    EXPECT_TRUE(read_timings(arm, 1)->ranks.empty());
}

TEST(RoundFiles, name_a_damaged_one) {
    const test::TemporaryDirectory directory;
    const Arm arm{"active", directory.path(), 1};
    write_plan(arm, {});
    publish_text_file(arm.file(0, round_file::plan), "{\"round\": ");

    test::expect_error(ExitCode::bad_data, "rounds/0000/plan.json: is damaged",
                       [&] { read_plan(arm, 0); });
}

TEST(CountLabels, looks_at_the_status_whatever_the_ids) {
    const std::string csv =
        "rank,row,status,id,y\n1,40,ok,a,0.5\n2,7,timeout,\"b,\"\"ok\"\"\nc\",\n"
        "3,9,ok,\"d\ne\",1\n4,3,invalid,f,\n";

    const LabelCounts counts = count_labels(csv, "labels.csv");

    EXPECT_EQ(counts.ok, 2);
    EXPECT_EQ(counts.failed, 2);
    EXPECT_EQ(failed_rows(csv, "labels.csv"), (std::vector<std::int64_t>{3, 7}));
    EXPECT_EQ(count_labels(empty_labels_csv(), "labels.csv").ok, 0);
}

TEST(CountLabels, refuses_what_sluice_did_not_write) {
    for (const std::string text : {"", "rank,row\n", "rank,row,status,id,y\n1,x,ok,a,1\n",
                                   "rank,row,status,id,y\n1,2\n", "rank,row,status,id,y\n1,2,ok"}) {
        test::expect_error(ExitCode::bad_data,
                           "labels.csv: ", [&] { count_labels(text, "labels.csv"); });
    }
}

TEST(CurveCsv, has_a_column_for_every_metric) {
    RoundRecord first;
    first.round = 1;
    first.labels = 5;
    RoundRecord second = first;
    second.round = 2;
    second.cost = 0.1;
    second.metrics = {{"rmse", 0.5}};
    second.change = 0.25;

    EXPECT_EQ(curve_csv({{"active", first}, {"random", second}}),
              "round,arm,labels,cost,rmse,uncertainty,kappa,delta_f,change\n"
              "1,active,5,0,,,,,\n2,random,5,0.1,0.5,,,,0.25\n");
}

}  // namespace
}  // namespace sluice::campaign
