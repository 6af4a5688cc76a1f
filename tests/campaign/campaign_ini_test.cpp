#include "campaign/campaign_keys.hpp"
#include "campaign/campaign_spec.hpp"
#include "tests/support/expect_error.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>

namespace sluice::campaign {
namespace {

using test::expect_error;

const std::string least = "[pool]\nfile = pool.h5\n[label]\noracle = oracle.ini\n";

CampaignSpec parse(const std::string& more) {
    return parse_campaign("/data/c/campaign.ini", least + more);
}

void expect_bad(const std::string& more, const std::string& part) {
    expect_error(ExitCode::bad_config, part, [&] { parse(more); });
}

TEST(CampaignIni, takes_defaults_for_all_but_pool_and_oracle) {
    const CampaignSpec spec = parse("");

    EXPECT_EQ(spec.directory, "/data/c");
    EXPECT_EQ(spec.pool.files, std::vector<std::string>{"/data/c/pool.h5"});
    EXPECT_EQ(spec.label.oracle_path, "/data/c/oracle.ini");
    EXPECT_EQ(spec.select.batch, 100);
    EXPECT_EQ(spec.start.batch, 100);
    EXPECT_EQ(spec.start.rounds, 1);
    EXPECT_EQ(spec.first_round(), 1);
    EXPECT_EQ(spec.stop.rounds, 10);
    EXPECT_FALSE(spec.has_random_arm);
    EXPECT_FALSE(spec.task);
    EXPECT_EQ(spec.train.hidden, (std::vector<std::int64_t>{64, 64}));
    EXPECT_EQ(spec.strategy(1), (BatchStrategy{"random", "none"}));
    EXPECT_EQ(spec.strategy(2), (BatchStrategy{"entropy", "k_center"}));
    RoundRecord ninth;
    ninth.round = 9;
    ninth.candidates_left = 1;
    EXPECT_FALSE(decide(spec.stop, {ninth}));
}

TEST(CampaignIni, has_the_defaults_of_the_trainer) {
    const model::TrainOptions ours = parse("").train;
    const model::TrainOptions theirs;

    EXPECT_EQ(ours.hidden, theirs.hidden);
    EXPECT_EQ(ours.activation, theirs.activation);
    EXPECT_EQ(ours.members, theirs.members);
    EXPECT_EQ(ours.learning_rate, theirs.learning_rate);
    EXPECT_EQ(ours.batch_rows, theirs.batch_rows);
    EXPECT_EQ(ours.max_epochs, theirs.max_epochs);
    EXPECT_EQ(ours.patience, theirs.patience);
    EXPECT_EQ(ours.held_out, theirs.held_out);
}

TEST(CampaignIni, reads_every_section) {
    const CampaignSpec spec = parse_campaign("c.ini", R"(
[campaign]
directory = runs/one
seed = 18446744073709551615
rounds = 1e2
[pool]
file = a.h5
file = /abs/b.h5
features = /x
bad-rows = skip
[start]
strategy = k_center
batch = 7
rounds = 2
[model]
head = gaussian
hidden = 8,16,4
dropout = 0.5
masks = 10
[select]
batch = 50
batch-cost = 12.5
schedule = 3:random/none, 5-:margin/k_center
distinct = yes
[label]
where = outside
classes = 10
[test]
rows = 500
[stop]
when = all
labels = 1000
target = rmse.energy 0.1
plateau = validation_loss
plateau-window = 4
change = 0.05
)");

    EXPECT_EQ(spec.directory, "runs/one");
    EXPECT_EQ(spec.seed, 18446744073709551615U);
    EXPECT_EQ(spec.stop.rounds, 100);
    EXPECT_EQ(spec.pool.files, (std::vector<std::string>{"a.h5", "/abs/b.h5"}));
    EXPECT_EQ(spec.pool.datasets.at("features"), "/x");
    EXPECT_EQ(spec.bad_rows, select::BadRows::skip);
    EXPECT_EQ(spec.task, model::Task::regression);
    EXPECT_EQ(spec.train.hidden, (std::vector<std::int64_t>{8, 16, 4}));
    EXPECT_EQ(spec.train.dropout_masks, 10);
    EXPECT_TRUE(spec.has_random_arm);
    EXPECT_EQ(spec.select.batch_cost, 12.5);
    EXPECT_EQ(spec.select.copies, select::Copies::drop);
    EXPECT_EQ(spec.strategy(2), (BatchStrategy{"random", "k_center"}));
    EXPECT_EQ(spec.strategy(3), (BatchStrategy{"random", "none"}));
    EXPECT_EQ(spec.strategy(4), (BatchStrategy{"entropy", "k_center"}));
    EXPECT_EQ(spec.strategy(99), (BatchStrategy{"margin", "k_center"}));
    EXPECT_EQ(spec.stop.combine, StopRules::Combine::all);
    EXPECT_EQ(spec.stop.target->metric, "rmse.energy");
    EXPECT_EQ(spec.stop.plateau->window, 4);
    EXPECT_EQ(*spec.stop.change, 0.05);
}

TEST(CampaignIni, scores_may_be_expressions_drawn_per_cost) {
    const CampaignSpec spec = parse(
        "[select]\nscore = 0.50*lc + column:loss/column:length\n"
        "randomize = power\nper-cost = yes\n"
        "schedule = 2:entropy/cost/none, 3:column:x/kcenter\n");

    EXPECT_EQ(spec.strategy(2), (BatchStrategy{"entropy*cost^-1", "none"}));
    EXPECT_EQ(spec.strategy(3), (BatchStrategy{"column:x", "k_center"}));
    EXPECT_EQ(spec.strategy(4), (BatchStrategy{"0.5*least_confidence + "
                                               "column:loss*column:length^-1",
                                               "k_center"}));
    EXPECT_EQ(spec.select.randomize, "power:1");
    EXPECT_EQ(spec.select.price, select::Price::divides_score);
    expect_bad("[select]\nscore = entropy/entropy\n", "6:9: score: ");
    expect_bad("[select]\nrandomize = powr\n", "6:13: randomize: ");
    expect_bad("[select]\nschedule = 2:margin - entropy/none\n", "positive weights");
}

TEST(CampaignIni, items_conditions_and_numbers_of_rules) {
    const CampaignSpec spec = parse(
        "[select]\ngroups = top_mean:3\nbatch-instances = 40\nwhere = column:x>0.5\n"
        "diversify = gist\nstrength = 0.5\nsigma = auto\n");

    EXPECT_EQ(spec.select.items, "top_mean:3");
    EXPECT_EQ(spec.select.batch_instances, 40);
    EXPECT_EQ(spec.select.where, "column:x > 0.5");
    EXPECT_EQ(spec.select.parameters.strength, 0.5);
    EXPECT_TRUE(std::isnan(spec.select.parameters.sigma));
    EXPECT_FALSE(parse("").select.has_items());
    EXPECT_EQ(parse("[pool]\ngroups = /images\n").pool.datasets.at("groups"), "/images");
    expect_bad("[select]\ngroups = top_mean:0\n", "6:10: groups: ");
    expect_bad("[select]\ndiversify = lcmd\nstrength = 1\n",
               "strength: diversify lcmd does not use it");
    expect_bad("[select]\nbatch-instances = 4\n", "6:19: batch-instances: ");
}

TEST(CampaignIni, names_line_column_and_the_nearest_word) {
    expect_bad("[selekt]\n",
               "/data/c/campaign.ini:5:1: [selekt]: unknown section; did you mean 'select'?");
    expect_bad("[select]\nbach = 3\n",
               "campaign.ini:6:1: bach: unknown key of [select]; did you mean 'batch'?");
    expect_bad("[select]\nbatch = three\n", "campaign.ini:6:9: batch: not a whole number");
    expect_bad("[select]\nbatch = 0\n", "campaign.ini:6:9: batch: ");
    expect_bad("[select]\nbatch = 3\nbatch = 4\n",
               "campaign.ini:7:1: batch: given before on line 6");
    expect_bad("[select]\nbatch =\n", "batch: its value is missing");
    expect_bad("[model]\nhead = softmix\n", "unknown value (softmix); did you mean 'softmax'?");
    expect_bad("[model]\nhidden = 64,,64\n", "campaign.ini:6:10: hidden: not units of layers");
    expect_bad("[select]\nscore = entropie\n", "campaign.ini:6:9: score: ");
    expect_bad("[select]\nschedule = 2:random\n", "not ROUNDS:SCORE/DIVERSIFY");
    expect_bad("[select]\nschedule = 3-2:random/none\n", "not rounds as in 2, 2-3 or 4-");
    expect_bad("[select]\nschedule = 2:random/nine\n", "nine");
    expect_bad("[select]\nbatch = 9\nshortlist = 5\n", "shortlist: smaller than the batch (5 < 9)");
    expect_bad("[campaign]\nseed = -1\n", "seed: not a whole number from 0");
    expect_error(ExitCode::bad_config, "c.ini:1:1: batch: stands before the first section",
                 [] { parse_campaign("c.ini", "batch = 3\n"); });
}

TEST(CampaignIni, what_distances_are_of) {
    const CampaignSpec usual = parse("");
    EXPECT_EQ(usual.select.diversify_on, "features");
    EXPECT_EQ(usual.values.count("select.diversify-on"), 0);  // older campaigns go on
    const CampaignSpec spec =
        parse("[select]\ndiversify = lcmd\ndiversify-on = gradients\nsketch-dim = 64\n");
    EXPECT_EQ(spec.select.diversify_on, "gradients");
    EXPECT_EQ(spec.select.sketch_dim, 64);
    expect_bad("[select]\nsketch-dim = 64\n", "features are not sketched");
    expect_bad("[select]\ndiversify = badge\ndiversify-on = gradients\n", "badge has its own way");
    expect_bad("[select]\ndiversify-on = gradients\ninput = committee\n", "use input = model");
}

TEST(CampaignIni, refuses_what_could_never_hold) {
    expect_bad("[stop]\ntarget = rmse 0.1\n", "there is no test set to measure 'rmse' on");
    expect_bad("[stop]\ntarget = rmse\n", "not a metric and a number (rmse)");
    expect_bad("[stop]\nplateau = rmsd\n", "unknown metric (rmsd)");
    expect_bad("[model]\nhead = squares\n[stop]\nkappa = 0.9\n", "compares classes");
    expect_bad("[stop]\nkappa = 0.9\nset = 0\n", "rules that need it are set");
    expect_bad("[model]\ntrain-command = train.py\n", "says neither {model} nor {predictions}");
    expect_bad("[model]\ntrain-command = t {model} {predictions}\n",
               "says {model} and {predictions}");
    expect_bad("[start]\nrounds = 0\n", "no round and no labels to start from");
    expect_bad("[test]\nrows = 5\nlabels = t.h5\n", "there are labels too");
    expect_error(ExitCode::bad_config, "[pool] file: missing",
                 [] { parse_campaign("c.ini", "[label]\nwhere = outside\n"); });
    expect_error(ExitCode::bad_config, "[label] oracle: missing",
                 [] { parse_campaign("c.ini", "[pool]\nfile = p.h5\n"); });
}

TEST(CampaignIni, validation_loss_needs_no_test_set) {
    EXPECT_TRUE(parse("[stop]\nplateau = validation_loss\n").stop.plateau);
}

// What a round depends on must change with every key that is not free, and with no other.
TEST(ScienceOfRound, holds_what_alters_a_round) {
    const auto science = [](const std::string& more, std::int64_t round) {
        return science_of_round(parse(more), round);
    };
    const auto before = science("", 2);

    EXPECT_NE(science("[model]\nmembers = 7\n", 2), before);
    EXPECT_NE(science("[select]\nscore = margin\n", 2), before);
    EXPECT_NE(science("[select]\nbatch = 101\n", 2), before);
    EXPECT_NE(science("[select]\nrandomize = power:2\n", 2), before);
    EXPECT_NE(science("[select]\nper-cost = yes\n", 2), before);
    EXPECT_EQ(science("[select]\nrandomize = none\nper-cost = no\n", 2), before);
    EXPECT_NE(science("[select]\nwhere = cost < 3\n", 1), science("", 1));
    EXPECT_NE(science("[select]\ngroups = max\n", 1), science("", 1));
    EXPECT_NE(science("[select]\ndiversify = gist\nstrength = 2\n", 2),
              science("[select]\ndiversify = gist\n", 2));
    EXPECT_EQ(science("[select]\ndiversify = lcmd\nschedule = 3:margin/gist\nstrength = 2\n", 2),
              science("[select]\ndiversify = lcmd\n", 2));
    EXPECT_EQ(science("[select]\nschedule = 3-:margin/none\n", 2), before);
    EXPECT_NE(science("[select]\nschedule = 2-:margin/none\n", 2), before);
    EXPECT_EQ(science("[stop]\nlabels = 10\n[campaign]\nrounds = 3\n", 2), before);
    EXPECT_EQ(science("[start]\nbatch = 5\n", 2), before);
    EXPECT_NE(science("[start]\nbatch = 5\n", 1), science("", 1));
    EXPECT_EQ(science("[select]\nscore = margin\nrandomize = power:2\n", 1), science("", 1));
}

TEST(CampaignKeys, are_unique_and_told_with_unit_and_default) {
    std::set<std::pair<std::string, std::string>> seen;
    for (const CampaignKey& key : campaign_keys()) {
        EXPECT_TRUE(seen.insert({key.section, key.name}).second) << key.section << " " << key.name;
        EXPECT_FALSE(key.summary.empty()) << key.name;
        EXPECT_FALSE(key.value_name.empty()) << key.name;
    }
}

}  // namespace
}  // namespace sluice::campaign
