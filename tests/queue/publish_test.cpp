#include "queue/publish.hpp"

#include "core/durable_file.hpp"
#include "core/sha256.hpp"
#include "h5/input_file.hpp"
#include "tests/queue/queue_fixture.hpp"
#include "tests/support/expect_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <bit>
#include <filesystem>
#include <limits>
#include <map>

namespace sluice::queue {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using test::first_id;
using test::names_in;
using test::publish_sample;
using test::QueueTest;
using test::sample_batch;
using test::second_id;
using test::tree_of;

TEST_F(QueueTest, a_new_queue_is_empty) {
    Queue queue(root_);
    EXPECT_EQ(queue.num_issued(), 0);
    EXPECT_TRUE(queue.issued_rows().empty());
    EXPECT_EQ(queue.last_pool_fingerprint(), "");
    EXPECT_FALSE(queue.find_batch(first_id).has_value());
    EXPECT_EQ(read_text_file(path("queue.json")),
              "{\"format\":\"sluice-queue\",\"format_version\":1}\n");
    EXPECT_THAT(names_in(root_),
                ::testing::ElementsAre("batches", "leased", "order", "pending", "quarantine",
                                       "queue.json", "results", "settled", "tmp"));
}

TEST_F(QueueTest, a_published_batch_reads_back) {
    Queue queue(root_);
    const Batch batch = sample_batch(first_id, {});
    EXPECT_EQ(queue.publish(batch, 0), PublishOutcome::published);
    EXPECT_EQ(queue.num_issued(), 1);
    EXPECT_EQ(queue.issued_rows(), (std::vector<RowId>{0, 10, 20}));
    EXPECT_EQ(queue.last_pool_fingerprint(), batch.pool_fingerprint);
    EXPECT_EQ(read_text_file(batch_path("selected.csv")), selected_csv(batch.items));
    EXPECT_EQ(read_text_file(batch_path("provenance.json")), batch.provenance);
    EXPECT_THAT(names_in(path("pending")),
                ::testing::ElementsAre(first_id + "-000001.a1", first_id + "-000002.a1"));
    EXPECT_TRUE(names_in(path("tmp")).empty());
}

TEST_F(QueueTest, the_manifest_keeps_what_it_was_given_and_vouches_for_every_file) {
    Queue queue(root_);
    publish_sample(queue, first_id);
    const std::string text = queue.find_batch(first_id).value();
    EXPECT_EQ(text, read_text_file(batch_path("manifest.json")));
    const auto manifest = nlohmann::json::parse(text);
    EXPECT_EQ(manifest["id"], first_id);
    EXPECT_EQ(manifest["items"], 3);
    EXPECT_EQ(manifest["tickets"], 2);
    EXPECT_EQ(manifest["score"], "entropy");
    EXPECT_EQ(manifest["options"]["seed"], 7);
    std::map<std::string, std::string> tree = tree_of(batch_path(""));
    tree.erase("manifest.json");
    tree.erase("provenance.json");
    EXPECT_EQ(manifest["files"].size(), tree.size());
    for (const auto& [name, content] : tree) {
        EXPECT_EQ(manifest["files"][name]["sha256"], sha256_hex(content)) << name;
        EXPECT_EQ(manifest["files"][name]["bytes"], content.size()) << name;
    }
}

TEST_F(QueueTest, tickets_are_lines_an_oracle_can_read) {
    Queue queue(root_);
    publish_sample(queue, first_id);
    EXPECT_EQ(
        read_text_file(batch_path("tickets/000001.jsonl")),
        "{\"item\":0,\"row\":0,\"id\":\"item-0\",\"inputs\":{\"x\":0.0,\"y\":-1.5e-300}}\n"
        "{\"item\":1,\"row\":10,\"id\":\"item-10\",\"inputs\":{\"x\":1.0,\"y\":-1.5e-300}}\n");
    EXPECT_EQ(
        read_text_file(batch_path("tickets/000002.jsonl")),
        "{\"item\":2,\"row\":20,\"id\":\"item-20\",\"inputs\":{\"x\":2.0,\"y\":-1.5e-300}}\n");
}

TEST_F(QueueTest, items_h5_holds_the_same_bits) {
    Queue queue(root_);
    const Batch batch = sample_batch(first_id, {});
    queue.publish(batch, 0);
    const h5::InputFile file(batch_path("items.h5"));
    EXPECT_EQ(file.attribute_text("/", "format"), "sluice-items");
    EXPECT_EQ(file.attribute_integer("/", "format_version"), 1);
    EXPECT_EQ(file.integers("row"), (std::vector<std::int64_t>{0, 10, 20}));
    EXPECT_EQ(file.text("id"), (std::vector<std::string>{"item-0", "item-10", "item-20"}));
    EXPECT_EQ(file.floats("features"), batch.features);
    EXPECT_EQ(file.dims("features"), (std::vector<std::int64_t>{3, 2}));
    EXPECT_EQ(file.doubles("inputs"),
              (std::vector<double>{0.0, -1.5e-300, 1.0, -1.5e-300, 2.0, -1.5e-300}));
    EXPECT_EQ(file.attribute_list("inputs", "names"), (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(file.attribute_list("inputs", "units"), (std::vector<std::string>{"angstrom", "1"}));
    for (std::size_t i = 0; i < batch.items.size(); ++i) {
        EXPECT_EQ(std::bit_cast<std::uint32_t>(file.floats("score")[i]),
                  std::bit_cast<std::uint32_t>(batch.items[i].score));
        EXPECT_EQ(file.floats("distance")[i], batch.items[i].distance);
    }
}

TEST_F(QueueTest, publishing_again_changes_nothing) {
    Queue queue(root_);
    publish_sample(queue, first_id);
    const auto before = tree_of(root_);
    EXPECT_EQ(queue.publish(sample_batch(first_id, {}), 0), PublishOutcome::already_there);
    EXPECT_EQ(queue.publish(sample_batch(first_id, {}), 1), PublishOutcome::already_there);
    EXPECT_EQ(tree_of(root_), before);
}

TEST_F(QueueTest, a_claimed_token_never_comes_back) {
    Queue queue(root_);
    publish_sample(queue, first_id);
    const std::string token = first_id + "-000001.a1";
    fs::rename(path("pending/" + token), path("leased/" + token + ".node-1-a"));
    EXPECT_TRUE(queue.find_batch(first_id).has_value());
    queue.publish(sample_batch(first_id, {}), 0);
    EXPECT_THAT(names_in(path("pending")), ::testing::ElementsAre(first_id + "-000002.a1"));
}

TEST_F(QueueTest, the_same_batch_has_the_same_bytes_in_another_queue_at_another_time) {
    Queue queue(root_);
    publish_sample(queue, first_id);
    ::sleep(1);  // HDF5 stores times in whole seconds where it is allowed to
    Queue other(directory_.file("other"));
    publish_sample(other, first_id);
    const auto mine = tree_of(root_ + "/batches");
    const auto others = tree_of(other.directory() + "/batches");
    ASSERT_EQ(mine.size(), 6U);
    ASSERT_EQ(others.size(), 6U);
    for (const auto& [name, content] : mine)
        EXPECT_TRUE(others.at(name) == content) << name;
}

TEST_F(QueueTest, batches_follow_each_other_without_sharing_rows) {
    Queue queue(root_);
    publish_sample(queue, first_id);
    publish_sample(queue, second_id);
    EXPECT_EQ(queue.num_issued(), 2);
    EXPECT_EQ(queue.issued_rows(), (std::vector<RowId>{0, 10, 20, 30, 40, 50}));
    EXPECT_EQ(queue.last_pool_fingerprint(), "pool-" + second_id);
    expect_error(ExitCode::internal, "row 0 has been issued before",
                 [&] { queue.publish(sample_batch("0123", {}), 2); });
}

TEST_F(QueueTest, a_selection_that_missed_another_must_start_again) {
    Queue queue(root_);
    publish_sample(queue, first_id);
    const auto before = tree_of(root_);
    expect_error(ExitCode::try_again, "run the same command again", [&] {
        queue.publish(sample_batch(second_id, {0, 10, 20}), 0);
    });
    EXPECT_EQ(tree_of(root_), before);
}

TEST_F(QueueTest, publishes_an_empty_batch_and_one_without_inputs_features_or_diversity) {
    Queue queue(root_);
    EXPECT_EQ(publish_sample(queue, first_id, 0), PublishOutcome::published);
    EXPECT_TRUE(queue.issued_rows().empty());
    EXPECT_TRUE(names_in(path("pending")).empty());
    Batch bare;
    bare.id = second_id;
    bare.manifest = "{}";
    bare.items.push_back({4, "4", 0.5F, std::numeric_limits<float>::quiet_NaN(), {}});
    EXPECT_EQ(queue.publish(bare, 1), PublishOutcome::published);
    EXPECT_EQ(read_text_file(path("batches/" + second_id + "/tickets/000001.jsonl")),
              "{\"item\":0,\"row\":4,\"id\":\"4\",\"inputs\":[]}\n");
    EXPECT_FALSE(fs::exists(path("batches/" + second_id + "/provenance.json")));
    EXPECT_EQ(queue.issued_rows(), (std::vector<RowId>{4}));
}

TEST_F(QueueTest, refuses_items_that_no_oracle_can_take_before_anything_is_written) {
    Queue queue(root_);
    const auto before = tree_of(root_);
    Batch batch = sample_batch(first_id, {});
    batch.items[1].inputs[1] = std::numeric_limits<double>::quiet_NaN();
    expect_error(ExitCode::bad_data, "inputs[10]: column 1 is not finite (nan)",
                 [&] { queue.publish(batch, 0); });
    batch = sample_batch(first_id, {});
    batch.items[2].id = "\xff";
    expect_error(ExitCode::bad_data, "ids[20]: not valid UTF-8", [&] { queue.publish(batch, 0); });
    batch = sample_batch(first_id, {});
    batch.input_names = {"x", "x"};
    expect_error(ExitCode::bad_data, "two columns are called 'x'",
                 [&] { queue.publish(batch, 0); });
    batch = sample_batch(first_id, {});
    batch.id = "../../x";
    expect_error(ExitCode::internal, "../../x", [&] { queue.publish(batch, 0); });
    EXPECT_EQ(tree_of(root_), before);
}

}  // namespace
}  // namespace sluice::queue
