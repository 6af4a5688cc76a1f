#include "queue/publish.hpp"

#include "core/durable_file.hpp"
#include "core/sha256.hpp"
#include "h5/input_file.hpp"
#include "tests/queue/sample_batch.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bit>
#include <filesystem>
#include <fstream>
#include <map>

namespace sluice::queue {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using test::sample_batch;
using test::TemporaryDirectory;

const std::string first_id = "00112233445566aa";
const std::string second_id = "ffeeddccbbaa9988";

// Every regular file below `directory`: relative name -> content.
std::map<std::string, std::string> tree_of(const std::string& directory) {
    std::map<std::string, std::string> tree;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream file(entry.path(), std::ios::binary);
        tree[fs::relative(entry.path(), directory)] = {std::istreambuf_iterator<char>(file), {}};
    }
    return tree;
}

std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory)) {
        names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
}

PublishOutcome publish_sample(Queue& queue, const std::string& id, std::size_t num_items = 3) {
    const std::int64_t num_issued = queue.num_issued();
    return queue.publish(sample_batch(id, queue.issued_rows(), num_items), num_issued);
}

class QueueTest : public ::testing::Test {
  protected:
    std::string path(const std::string& name) const { return directory_.file("queue/" + name); }
    std::string batch_path(const std::string& name) const {
        return path("batches/" + first_id + "/" + name);
    }

    TemporaryDirectory directory_;
    std::string root_ = directory_.file("queue");
};

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

TEST_F(QueueTest, refuses_a_directory_that_cannot_be_trusted) {
    { const Queue queue(root_); }
    fs::permissions(root_, fs::perms::others_write, fs::perm_options::add);
    expect_error(ExitCode::permission, "run: chmod o-w " + root_, [&] { Queue queue(root_); });
    fs::permissions(root_, fs::perms::others_write, fs::perm_options::remove);
    fs::permissions(path("pending"), fs::perms::others_write, fs::perm_options::add);
    expect_error(ExitCode::permission, "run: chmod o-w " + path("pending"),
                 [&] { Queue queue(root_); });
    fs::permissions(path("pending"), fs::perms::others_write, fs::perm_options::remove);
    if (::geteuid() != 0) GTEST_SKIP() << "giving a directory away needs root";
    ASSERT_EQ(::chown(root_.c_str(), 65534, 65534), 0);
    expect_error(ExitCode::permission, "belongs to user 65534", [&] { Queue queue(root_); });
}

TEST_F(QueueTest, follows_no_link_inside) {
    { const Queue queue(root_); }
    fs::remove(path("tmp"));
    fs::create_directory_symlink(directory_.path(), path("tmp"));
    expect_error(ExitCode::permission, path("tmp"), [&] { Queue queue(root_); });
    fs::remove(path("tmp"));
    fs::create_symlink("/etc/hostname", path("order/000001"));
    Queue queue(root_);
    expect_error(ExitCode::permission, path("order/000001"), [&] { queue.issued_rows(); });
}

TEST_F(QueueTest, is_made_unwritable_for_others_whatever_the_umask) {
    const mode_t old_mask = ::umask(0);
    Queue queue(root_);
    publish_sample(queue, first_id);
    ::umask(old_mask);
    for (const auto& entry : fs::recursive_directory_iterator(root_)) {
        if (!entry.is_directory()) continue;
        EXPECT_EQ(entry.status().permissions() & fs::perms::others_write, fs::perms::none)
            << entry.path();
    }
}

TEST_F(QueueTest, takes_no_directory_that_holds_other_things) {
    fs::create_directory(root_);
    std::ofstream(path("thesis.tex")) << "x";
    expect_error(ExitCode::cannot_create, "thesis.tex", [&] { Queue queue(root_); });
    EXPECT_THAT(names_in(root_), ::testing::ElementsAre("thesis.tex"));
    expect_error(ExitCode::cannot_create, path("thesis.tex"),
                 [&] { Queue queue(path("thesis.tex/queue")); });
}

TEST_F(QueueTest, ignores_unknown_files_and_refuses_other_versions) {
    Queue queue(root_);
    publish_sample(queue, first_id);
    std::ofstream(path("notes.txt")) << "x";
    std::ofstream(path("order/README")) << "x";
    std::ofstream(path("tmp/somebody.1.2.3")) << "x";
    EXPECT_EQ(Queue(root_).num_issued(), 1);
    EXPECT_TRUE(queue.find_batch(first_id).has_value());
    EXPECT_TRUE(fs::exists(path("tmp/somebody.1.2.3")));
    publish_text_file(path("queue.json"), "{\"format\":\"sluice-queue\",\"format_version\":2}");
    expect_error(ExitCode::bad_data, "format_version 2", [&] { Queue other(root_); });
    publish_text_file(path("queue.json"), "{\"format\":");
    expect_error(ExitCode::bad_data, "not the format file", [&] { Queue other(root_); });
}

TEST_F(QueueTest, notices_damage_rather_than_issuing_rows_twice) {
    Queue queue(root_);
    publish_sample(queue, first_id);
    publish_sample(queue, second_id);
    const std::string csv = read_text_file(batch_path("selected.csv"));
    publish_text_file(batch_path("selected.csv"), csv.substr(0, csv.size() / 2));
    expect_error(ExitCode::bad_data, "does not match its manifest", [&] { queue.issued_rows(); });
    publish_text_file(batch_path("selected.csv"), csv);
    EXPECT_EQ(queue.issued_rows().size(), 6U);
    fs::rename(path("order/000001"), directory_.file("kept"));
    expect_error(ExitCode::bad_data, "1 entries but the last is number 2",
                 [&] { queue.num_issued(); });
    fs::rename(directory_.file("kept"), path("order/000001"));
    fs::remove_all(batch_path(""));
    expect_error(ExitCode::no_input, first_id, [&] { queue.issued_rows(); });
    expect_error(ExitCode::bad_data, "has been issued", [&] { queue.find_batch(first_id); });
}

// One process in each child: reads the state, waits for all the others, publishes.
pid_t start_publisher(const std::string& root, const std::string& id, int ready,
                      const int (&go)[2]) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    ::close(go[1]);
    int code = 99;
    try {
        Queue queue(root);
        const std::int64_t num_issued = queue.num_issued();
        const Batch batch = sample_batch(id, queue.issued_rows());
        char byte = 0;
        if (::write(ready, &byte, 1) == 1 && ::read(go[0], &byte, 1) == 0) {
            const bool won = queue.publish(batch, num_issued) == PublishOutcome::published;
            code = won ? 1 : 0;
        }
    } catch (const Error& error) {
        code = static_cast<int>(error.code());
    }
    ::_exit(code);
}

// Exit codes of four publishers of each of two batches, let loose at once.
std::multimap<std::string, int> race(const std::string& root) {
    int ready[2];
    int go[2];
    if (::pipe2(ready, O_CLOEXEC) != 0 || ::pipe2(go, O_CLOEXEC) != 0) return {};
    std::vector<std::pair<std::string, pid_t>> children;
    for (int i = 0; i < 8; ++i) {
        const std::string& id = i % 2 == 0 ? first_id : second_id;
        children.emplace_back(id, start_publisher(root, id, ready[1], go));
    }
    char bytes[8];
    for (int count = 0; count < 8; ++count)
        EXPECT_EQ(::read(ready[0], bytes, 1), 1);
    ::close(go[1]);
    std::multimap<std::string, int> codes;
    for (const auto& [id, child] : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        codes.emplace(id, WEXITSTATUS(status));
    }
    ::close(go[0]);
    ::close(ready[0]);
    return codes;
}

TEST_F(QueueTest, of_many_at_once_exactly_one_batch_wins) {
    for (int repeat = 0; repeat < 4; ++repeat) {
        const std::string root = directory_.file("race-" + std::to_string(repeat));
        const std::multimap<std::string, int> codes = race(root);
        Queue queue(root);
        ASSERT_EQ(queue.num_issued(), 1);
        const bool first_won = queue.last_pool_fingerprint() == "pool-" + first_id;
        const std::string winner = first_won ? first_id : second_id;
        EXPECT_EQ(names_in(root + "/batches"), std::vector<std::string>{winner});
        EXPECT_THAT(names_in(root + "/pending"),
                    ::testing::ElementsAre(winner + "-000001.a1", winner + "-000002.a1"));
        EXPECT_TRUE(names_in(root + "/tmp").empty());
        int num_published = 0;
        for (const auto& [id, code] : codes) {
            num_published += code == 1 ? 1 : 0;
            EXPECT_TRUE(id == winner ? code <= 1 : code == 75) << id << " left with " << code;
        }
        EXPECT_EQ(num_published, 1);
    }
}

}  // namespace
}  // namespace sluice::queue
