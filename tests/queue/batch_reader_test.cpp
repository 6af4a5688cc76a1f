#include "queue/batch_reader.hpp"

#include "core/durable_file.hpp"
#include "queue/layout.hpp"
#include "tests/queue/queue_fixture.hpp"
#include "tests/support/expect_error.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace sluice::queue {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using test::first_id;
using test::publish_sample;
using test::sample_batch;
using test::second_id;

class BatchReaderTest : public test::QueueTest {
  protected:
    Queue queue_{root_};
};

TEST_F(BatchReaderTest, reads_what_was_published) {
    Batch batch = sample_batch(first_id, {}, 5);
    batch.tag = "gpu";
    batch.manifest = R"({"round": 4, "pool_fingerprint": "abc"})";
    queue_.publish(batch, 0);
    publish_sample(queue_, second_id, 1);
    BatchReader reader(root_);
    EXPECT_EQ(reader.ids(), (std::vector<std::string>{first_id, second_id}));
    const BatchFacts& facts = reader.facts(first_id);
    EXPECT_EQ(facts.id, first_id);
    EXPECT_EQ(facts.num_items, 5);
    EXPECT_EQ(facts.num_tickets, 3);
    EXPECT_EQ(facts.ticket_items, 2);
    EXPECT_EQ(facts.round, 4);
    EXPECT_EQ(facts.tag, "gpu");
    EXPECT_EQ(facts.pool_fingerprint, "abc");
    EXPECT_EQ(facts.path, root_ + "/batches/" + first_id);
    EXPECT_EQ(facts.ticket_sha256.size(), 3U);
    EXPECT_EQ(reader.facts(second_id).pool_fingerprint, "pool-" + second_id);
    EXPECT_EQ(reader.facts(second_id).round, 0);
    EXPECT_EQ(reader.facts(second_id).tag, "");
}

TEST_F(BatchReaderTest, tickets_have_their_items) {
    const Batch batch = sample_batch(first_id, {}, 5);
    queue_.publish(batch, 0);
    BatchReader reader(root_);
    std::int64_t item = 0;
    for (std::int64_t number = 1; number <= 3; ++number) {
        const TicketId ticket{first_id, number};
        EXPECT_EQ(reader.first_item(ticket), item);
        EXPECT_EQ(reader.num_items(ticket), number < 3 ? 2 : 1);
        for (const TicketItem& read : reader.ticket(ticket)) {
            const BatchItem& given = batch.items[static_cast<std::size_t>(item)];
            EXPECT_EQ(read.item, item++);
            EXPECT_EQ(read.row, given.row);
            EXPECT_EQ(read.id, given.id);
            EXPECT_EQ(read.input_names, batch.input_names);
            EXPECT_EQ(read.inputs, given.inputs);
        }
    }
    EXPECT_EQ(item, 5);
}

TEST_F(BatchReaderTest, inputs_may_have_no_names) {
    Batch batch = sample_batch(first_id, {}, 1);
    batch.input_names.clear();
    batch.input_units.clear();
    queue_.publish(batch, 0);
    const std::vector<TicketItem> items = BatchReader(root_).ticket({first_id, 1});
    EXPECT_TRUE(items.at(0).input_names.empty());
    EXPECT_EQ(items.at(0).inputs, batch.items[0].inputs);
}

TEST_F(BatchReaderTest, refuses_what_is_not_there) {
    publish_sample(queue_, first_id);
    BatchReader reader(root_);
    expect_error(ExitCode::bad_data, second_id + "/manifest.json: missing",
                 [&] { reader.facts(second_id); });
    for (const std::int64_t number : {-1, 0, 3}) {
        expect_error(ExitCode::bad_data, "has no ticket", [&] {
            reader.num_items({first_id, number});
        });
    }
    expect_error(ExitCode::internal, "../x", [&] { reader.facts("../x"); });
}

TEST_F(BatchReaderTest, refuses_damaged_batches) {
    publish_sample(queue_, first_id);
    std::ofstream(batch_path("tickets/000001.jsonl"), std::ios::app) << " ";
    expect_error(ExitCode::bad_data, "000001.jsonl: does not match its manifest", [&] {
        BatchReader(root_).ticket({first_id, 1});
    });
    const std::string manifest = batch_path("manifest.json");
    const std::string text = read_text_file(manifest);
    const auto refuses = [&](const std::string& changed) {
        std::ofstream(manifest, std::ios::trunc) << changed;
        expect_error(ExitCode::bad_data, manifest, [&] { BatchReader(root_).facts(first_id); });
    };
    refuses("");
    refuses("{}");
    refuses(text.substr(0, text.size() / 2));
    refuses(std::string(text).replace(text.find("\"tickets\": 2"), 12, "\"tickets\": 3"));
    refuses(std::string(text).replace(text.find("\"items\": 3"), 10, "\"items\": -3"));
    refuses(std::string(text).replace(text.find(first_id), first_id.size(), second_id));
    fs::remove(manifest);
    fs::create_symlink("/etc/passwd", manifest);
    expect_error(ExitCode::permission, manifest, [&] { BatchReader(root_).facts(first_id); });
}

TEST_F(BatchReaderTest, a_tag_is_a_plain_name) {
    Batch batch = sample_batch(first_id, {});
    batch.tag = "../x";
    expect_error(ExitCode::internal, "tag '../x'", [&] { queue_.publish(batch, 0); });
    batch.tag.clear();
    batch.id = "a.b";
    expect_error(ExitCode::internal, "id 'a.b'", [&] { queue_.publish(batch, 0); });
}

}  // namespace
}  // namespace sluice::queue
