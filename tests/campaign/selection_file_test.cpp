#include "campaign/selection_file.hpp"

#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

namespace sluice::campaign {
namespace {

std::string with(const std::string& strategies) {
    return R"({"n_samples": 9, "strategies": [)" + strategies + "]}";
}

std::string strategy(const std::string& input, const std::string& what) {
    return R"({"input": {)" + input + R"(}, "strategy": {)" + what + "}}";
}

SelectRequest request_of(const std::string& text) {
    SelectRequest request;
    apply_selection(parse_selection(text, "s.json"), {}, request);
    return request;
}

const std::string embeddings = R"("type": "EMBEDDINGS")";
const std::string margin = R"("type": "SCORES", "task": "t", "score": "uncertainty_margin")";
const std::string weights = R"("type": "WEIGHTS")";

TEST(SelectionFile, diversity_alone_is_k_center_over_the_whole_pool) {
    // The two selections of LightlyOne's walk-through, which differ in their number.
    for (const std::string samples : {"50", "100"}) {
        const SelectRequest request =
            request_of(R"({"n_samples": )" + samples + R"(, "strategies": [)" +
                       strategy(embeddings, R"("type": "DIVERSITY")") + "]}");
        EXPECT_EQ(request.plan.batch_size, std::stoll(samples));
        EXPECT_EQ(request.plan.diversity, "k_center");
        EXPECT_EQ(request.plan.metric, "cosine");
        EXPECT_EQ(request.plan.score, "random");
        EXPECT_TRUE(std::isnan(request.plan.diversity_parameters.strength));
        EXPECT_EQ(request.plan.shortlist_size, std::int64_t{1} << 48);
    }
}

TEST(SelectionFile, strategies_multiply_to_the_power_of_their_strength) {
    const SelectRequest request = request_of(
        with(strategy(embeddings, R"("type": "DIVERSITY", "strength": 0.5,
                                "stopping_condition_minimum_distance": 0.2)") +
             "," + strategy(margin, R"("type": "WEIGHTS", "strength": 2)") + "," +
             strategy(R"("type": "METADATA", "key": "lightly.sharpness")", weights) + "," +
             strategy(R"("type": "RANDOM", "random_seed": 42)",
                      R"("type": "WEIGHTS", "strength": 0.1)")));
    EXPECT_EQ(request.plan.score, "uncertainty_margin^2*column:lightly.sharpness*random^0.1");
    EXPECT_EQ(request.plan.diversity_parameters.strength, 4.0);  // of squared distances
    EXPECT_DOUBLE_EQ(request.plan.min_distance, 0.02);           // 1 - cosine
    EXPECT_EQ(request.plan.seed, 42U);
    EXPECT_EQ(request.plan.weights, select::Weights::not_negative);
}

TEST(SelectionFile, the_product_of_the_documented_example_prefers_its_second_row) {
    // distance^1 x score^1 of (21.0, 10.3), (20.8, 10.8), (20.5, 10.9): 216.30, 224.64, 223.45.
    const double strength = request_of(with(strategy(embeddings, R"("type": "DIVERSITY")") + "," +
                                            strategy(margin, weights)))
                                .plan.diversity_parameters.strength;
    const auto gain = [&](double distance, double score) {
        return std::pow(score, strength) * distance * distance / 2.0;
    };
    EXPECT_GT(gain(20.8, 10.8), gain(20.5, 10.9));
    EXPECT_GT(gain(20.5, 10.9), gain(21.0, 10.3));
}

TEST(SelectionFile, thresholds_are_conditions_and_targets_a_balance) {
    const SelectRequest request = request_of(
        R"({"proportion_samples": 0.25, "strategies": [)" +
        strategy(R"("type": "METADATA", "key": "sharpness")",
                 R"("type": "THRESHOLD", "threshold": 20, "operation": "BIGGER_EQUAL")") +
        "," +
        strategy(R"("type": "SCORES", "task": "t", "score": "loss")",
                 R"("type": "THRESHOLD", "threshold": 0.5, "operation": "SMALLER")") +
        "," +
        strategy(R"("type": "PREDICTIONS", "task": "t", "name": "CLASS_DISTRIBUTION")",
                 R"("type": "BALANCE", "target": {"car": 0.6, "bus": 0.4}, "strength": 2)") +
        "]}");
    EXPECT_EQ(request.batch_share, 0.25);
    EXPECT_EQ(request.plan.conditions, "column:sharpness >= 20, column:loss < 0.5");
    EXPECT_EQ(request.plan.class_by, "class");
    EXPECT_EQ(request.plan.class_mix.text(), "car=0.6, bus=0.4");
    EXPECT_EQ(request.plan.diversity, "none");
    EXPECT_EQ(request.plan.score, "random");
}

TEST(SelectionFile, distributions_have_names) {
    const auto mix = [](const std::string& what) {
        return request_of(with(strategy(R"("type": "METADATA", "key": "weather")",
                                        R"("type": "BALANCE", "distribution": ")" + what + "\"")))
            .plan;
    };
    EXPECT_EQ(mix("UNIFORM").class_mix.kind, select::ClassMix::Kind::uniform);
    EXPECT_EQ(mix("INPUT").class_mix.kind, select::ClassMix::Kind::as_pool);
    EXPECT_EQ(mix("INPUT").class_by, "column:weather");
}

TEST(SelectionFile, several_balances_have_their_strengths) {
    const SelectRequest request = request_of(
        with(strategy(R"("type": "METADATA", "key": "weather")",
                      R"("type": "BALANCE", "target": {"sunny": 0.5, "rain": 0.25})") +
             "," +
             strategy(R"("type": "PREDICTIONS", "task": "t", "name": "CLASS_DISTRIBUTION")",
                      R"("type": "BALANCE", "distribution": "UNIFORM", "strength": 2)") +
             "," + strategy(margin, weights)));
    ASSERT_EQ(request.plan.balances.size(), 2U);
    EXPECT_EQ(request.plan.balances[0].text(), "column:weather: sunny=0.5, rain=0.25");
    EXPECT_EQ(request.plan.balances[1].text(), "class: uniform; weight 2");
    EXPECT_EQ(request.plan.class_mix.kind, select::ClassMix::Kind::none);
}

TEST(SelectionFile, embeddings_of_objects_are_features_of_instances) {
    const SelectionFile file = parse_selection(
        with(strategy(embeddings + R"(, "task": "cars")", R"("type": "DIVERSITY")")), "s.json");
    SelectRequest request;
    test::expect_error(ExitCode::bad_config,
                       "s.json: strategies[0].input.task: rows have no embeddings of objects",
                       [&] { apply_selection(file, {}, request); });
    request.plan.items = "max";
    apply_selection(file, {}, request);
    EXPECT_EQ(request.plan.diversity, "k_center");
    EXPECT_EQ(request.plan.batch_size, 9);
    const SelectionFile share = parse_selection(
        R"({"proportion_samples": 0.5, "strategies": [)" + strategy(margin, weights) + "]}",
        "s.json");
    test::expect_error(ExitCode::bad_config, "s.json: proportion_samples: a share of rows",
                       [&] { apply_selection(share, {}, request); });
}

TEST(SelectionFile, a_tag_is_the_file_of_its_name_beside_the_selection) {
    const test::TemporaryDirectory directory;
    const std::string path = directory.path() + "/s.json";
    for (const std::string name : {"seen.csv", "query.txt"})
        std::ofstream(directory.path() + "/" + name) << "1\n";
    const std::string similarity = R"("type": "SIMILARITY")";
    const std::string text =
        with(strategy(embeddings + R"(, "tag_name": "seen")", R"("type": "DIVERSITY")") + "," +
             strategy(embeddings + R"(, "dataset_id": "64f0", "tag_name": "query")", similarity));
    SelectRequest request;
    apply_selection(parse_selection(text, path), {}, request);
    EXPECT_EQ(request.center_path, directory.path() + "/seen.csv");
    EXPECT_EQ(request.similar_rows_path, directory.path() + "/query.txt");
    EXPECT_EQ(request.similar_path, "");
    request.similar_path = "vectors.h5";
    apply_selection(parse_selection(text, path), {}, request);
    EXPECT_EQ(request.similar_path, "vectors.h5");
}

TEST(SelectionFile, the_command_line_wins_over_numbers) {
    SelectRequest request;
    request.plan.batch_size = 3;
    request.plan.seed = 8;
    request.plan.shortlist_size = 50;
    request.similar_path = "mine.h5";
    const std::string text = with(strategy(embeddings + R"(, "dataset_id": "absent")",
                                           R"("type": "SIMILARITY", "strength": 0.5)") +
                                  "," + strategy(R"("type": "RANDOM", "random_seed": 1)", weights));
    apply_selection(parse_selection(text, "s.json"),
                    {.batch = true, .seed = true, .shortlist = true}, request);
    EXPECT_EQ(request.plan.batch_size, 3);
    EXPECT_EQ(request.plan.seed, 8U);
    EXPECT_EQ(request.plan.shortlist_size, 50);
    EXPECT_EQ(request.similar_path, "mine.h5");
    EXPECT_EQ(request.plan.score, "similarity^0.5*random");
}

TEST(SelectionFile, refuses_what_it_cannot_mean) {
    const std::string diversity = R"("type": "DIVERSITY")";
    const std::string threshold = R"("type": "THRESHOLD", "threshold": 1, "operation": "BIGGER")";
    const std::string column = R"("type": "METADATA", "key": "a")";
    const std::string balance = R"("type": "BALANCE", "target": )";
    const std::pair<std::string, std::string> cases[] = {
        {"{", "s.json:1: is no JSON"},
        {"{\n\"n_samples\": ,}", "s.json:2: is no JSON"},
        {"[]", "s.json: is no JSON object"},
        {R"({"n_samples": 5})", "s.json: strategies: missing"},
        {R"({"n_samples": 5, "strategies": []})", "s.json: strategies: is empty"},
        {R"({"n_sample": 5, "strategies": []})", "n_sample: unknown key; did you mean n_samples?"},
        {R"({"n_samples": 0, "strategies": [1]})", "s.json: n_samples: 0 is no number of rows"},
        {R"({"n_samples": 2.5, "strategies": [1]})", "n_samples: 2.5 is no number of rows"},
        {R"({"n_samples": "5", "strategies": [1]})", "n_samples: is no number"},
        {R"({"proportion_samples": 1.5, "strategies": [1]})", "1.5 is no share of the pool"},
        {R"({"n_samples": 5, "proportion_samples": 0.5, "strategies": [1]})", "given beside"},
        {with("1"), "s.json: strategies[0]: is no JSON object"},
        {with(R"({"input": {}})"), "strategies[0].strategy: missing"},
        {with(strategy("", diversity)), "strategies[0].input.type: missing"},
        {with(strategy(R"("type": "IMAGES")", diversity)), "unknown input (IMAGES)"},
        {with(strategy(embeddings, R"("type": "RANDOMLY")")), "unknown strategy (RANDOMLY)"},
        {with(strategy(embeddings, R"("type": "DIVERSITY", "strenght": 1)")),
         "strenght: unknown key; did you mean strength?"},
        {with(strategy(column, diversity)), "DIVERSITY of METADATA is not supported"},
        {with(strategy(embeddings, R"("type": "DIVERSITY", "strength": -1)")),
         "-1 would turn DIVERSITY round"},
        {with(strategy(embeddings, R"("type": "DIVERSITY", "strength": 0)")), "0 leaves nothing"},
        {with(strategy(embeddings,
                       R"("type": "DIVERSITY", "stopping_condition_minimum_distance": 3)")),
         "3 is no distance of vectors of length 1"},
        {with(strategy(embeddings, diversity) + "," + strategy(embeddings, diversity)),
         "strategies[1].strategy.type: a second DIVERSITY"},
        {with(strategy(embeddings + R"(, "task": "objects")", diversity)),
         "no embeddings of objects"},
        {with(strategy(margin, weights) + "," +
              strategy(margin, R"("type": "WEIGHTS", "strength": -1)")),
         "the strengths of 'margin' cancel"},
        {with(strategy(margin, threshold)), "a threshold needs numbers that the pool stores"},
        {with(strategy(column, R"("type": "THRESHOLD", "threshold": 1, "operation": "OVER")")),
         "operation: unknown (OVER)"},
        {with(strategy(column, R"("type": "THRESHOLD", "operation": "BIGGER")")),
         "threshold: missing"},
        {with(strategy(column, threshold) + "," +
              strategy(column, R"("type": "THRESHOLD", "threshold": 0, "operation": "SMALLER")")),
         "is met by no number of column:a"},
        {with(strategy(column, balance + R"({"a": -0.5, "b": 0.5})")), "-0.5 is below 0"},
        {with(strategy(column, balance + R"({"a": 0.7, "b": 0.5})")), "shares that add up to 1.2"},
        {with(strategy(column, balance + "{}")), "names no class"},
        {with(strategy(column, R"("type": "BALANCE")")), "strategy.target: missing"},
        {with(strategy(column, balance + R"({"a": 1})") + "," +
              strategy(column, R"("type": "BALANCE", "distribution": "EVEN")")),
         "strategies[1].strategy.distribution: unknown (EVEN)"},
        {with(strategy(column, R"("type": "BALANCE", "distribution": "INPUT", "strength": -1)")),
         "-1 would turn BALANCE round"},
        {with(strategy(embeddings + R"(, "tag_name": "../x")", diversity)),
         "strategies[0].input.tag_name: '../x' can be no file's name"},
        {with(strategy(embeddings + R"(, "tag_name": "seen")", diversity)),
         "s.json: tag_name: no file says which rows 'seen' are; put seen.txt"},
        {with(strategy(embeddings + R"(, "tag_name": "seen")", R"("type": "SIMILARITY")")),
         "no file says which rows 'seen' are"},
        {with(strategy(embeddings + R"(, "dataset_id": "x")", diversity)),
         "strategies[0].input.dataset_id: diversity is of the pool's own features"},
        {with(strategy(embeddings + R"(, "task": "cars")", diversity) + "," +
              strategy(embeddings + R"(, "task": "dogs")", R"("type": "TYPICALITY")")),
         "strategies[1].input.task: a second one (dogs after cars)"},
        {with(strategy(R"("type": "METADATA", "key": "a+b")", weights)), "rename the column"},
        {with(strategy(embeddings, R"("type": "SIMILARITY")")), "--similar-to FILE"},
        {R"({"strategies": [)" + strategy(margin, weights) + "]}", "s.json: n_samples: missing"},
    };
    for (const auto& [text, message] : cases) {
        SCOPED_TRACE(text);
        test::expect_error(ExitCode::bad_config, message, [&] { request_of(text); });
    }
}

}  // namespace
}  // namespace sluice::campaign
