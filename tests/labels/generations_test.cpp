#include "core/process_place.hpp"
#include "h5/input_file.hpp"
#include "h5/output_file.hpp"
#include "labels/generation.hpp"
#include "labels/ingest_run.hpp"
#include "labels/labels_directory.hpp"
#include "tests/labels/ingest_fixture.hpp"
#include "tests/support/expect_error.hpp"

#include <gmock/gmock.h>

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

namespace sluice::labels {
namespace {

using queue::ItemResult;
using queue::Queue;
using test::expect_error;
using test::first_id;
using test::names_in;
using test::publish_sample;
using test::second_id;
using test::tree_of;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

namespace fs = std::filesystem;

class Generations : public test::IngestTest {
  protected:
    void SetUp() override {
        Queue queue(root_);
        publish_sample(queue, first_id, 6);
    }
};

TEST_F(Generations, killed_before_the_files_were_moved_it_goes_on_there) {
    const std::string first = hand_in(1, {result(0, {1.0})}, 1);
    const std::string second = hand_in(1, {result(0, {3.0})}, 2);
    ingest();
    const auto labels_before = tree_of(labels_);
    settle_back(first);
    settle_back(second);
    fs::remove(labels("conflicts.g0001.jsonl"));
    const IngestReport report = ingest();
    EXPECT_EQ(report.labels, 0);
    EXPECT_EQ(report.conflicts, 1);
    EXPECT_THAT(report.conflict_files, ElementsAre(labels("conflicts.g0001.jsonl")));
    EXPECT_EQ(tree_of(labels_), labels_before);
    EXPECT_THAT(names_in(path("settled")), ElementsAre(first, second));
}

TEST_F(Generations, a_generation_is_never_replaced) {
    hand_in(1, {result(0, {1.0})});
    ingest();
    const auto before = tree_of(labels_);
    Generation other;
    other.label_shape = {LabelShape::Kind::numbers, 1, {}};
    other.labels.row = {7};
    other.labels.y = {7.0};
    expect_error(ExitCode::try_again, "labels.g0001.h5: another ingest published",
                 [&] { publish_generation(labels_, 1, other); });
    EXPECT_EQ(tree_of(labels_), before);
}

TEST_F(Generations, two_at_a_time_take_each_label_once) {
    Queue queue(root_);
    publish_sample(queue, second_id, 40);
    for (std::int64_t ticket = 1; ticket <= 20; ++ticket) {
        ItemResult label = result(2 * ticket - 2, {1.0});
        label.row = 10 * (2 * ticket - 2 + 6);
        label.id = "item-" + std::to_string(label.row);
        hand_in(queue::TicketId{second_id, ticket}, {label});
    }
    const pid_t other = ::fork();
    const auto ingest_until_done = [&] {
        for (int attempt = 0; attempt < 1000; ++attempt) {
            try {
                if (ingest_within(request(), {.labels = 2}).files == 0) return true;
            } catch (const Error& error) {
                if (error.code() != ExitCode::try_again) return false;
            }
        }
        return false;
    };
    const bool done = ingest_until_done();
    if (other == 0) ::_exit(done ? 0 : 1);
    int status = -1;
    ASSERT_EQ(::waitpid(other, &status, 0), other);
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(done);
    std::multiset<std::int64_t> items;
    for (const std::string& name : names_in(labels_)) {
        for (const std::int64_t item : h5::InputFile(labels(name)).integers("item"))
            items.insert(item);
    }
    EXPECT_EQ(items.size(), 20U);
    EXPECT_EQ((std::set<std::int64_t>{items.begin(), items.end()}.size()), 20U);
    EXPECT_THAT(names_in(path("results")), IsEmpty());
}

TEST_F(Generations, a_large_queue_gives_several_generations_of_whole_tickets) {
    hand_in(1, {result(0, {1.0}), result(1, {2.0})});
    hand_in(2, {result(2, {3.0}), result(3, {4.0})});
    hand_in(3, {result(4, {5.0}), result(5, {6.0})});
    const IngestReport report = ingest_within(request(), {.labels = 3});
    EXPECT_THAT(report.generations,
                ElementsAre(labels("labels.g0001.h5"), labels("labels.g0002.h5")));
    EXPECT_EQ(ingest_text(report), "ingested 6 labels into " + labels("labels.g0001.h5") + " to " +
                                       labels("labels.g0002.h5") + " (2 files)\n");
    EXPECT_THAT(h5::InputFile(labels("labels.g0001.h5")).integers("item"), ElementsAre(0, 1, 2, 3));
    EXPECT_THAT(h5::InputFile(labels("labels.g0002.h5")).integers("item"), ElementsAre(4, 5));
    // Late repeats are found in any of them, however few are looked up at a time.
    for (std::int64_t ticket = 1; ticket <= 3; ++ticket) {
        hand_in(ticket, {result(2 * ticket - 2, {2.0 * static_cast<double>(ticket) - 1.0})}, 2);
    }
    const IngestReport late = ingest_within(request(), {.labels = 1});
    EXPECT_EQ(late.repeats, 3);
    EXPECT_EQ(late.conflicts + late.labels, 0);
}

TEST_F(Generations, a_limit_on_bytes_splits_too) {
    hand_in(1, {result(0, {1.0})});
    hand_in(2, {result(2, {3.0})});
    EXPECT_EQ(ingest_within(request(), {.bytes = 100}).generations.size(), 2U);
}

TEST_F(Generations, batches_whose_items_look_different_get_generations_of_their_own) {
    Queue queue(root_);
    queue::Batch batch = test::sample_batch(second_id, queue.issued_rows(), 2);
    batch.features.clear();
    batch.dim = 0;
    batch.items[0].id = "a\"b/../" + std::string(5000, 'x');
    queue.publish(batch, queue.num_issued());
    hand_in(1, {result(0, {1.0})});
    ItemResult label = result(0, {2.0});
    label.row = batch.items[0].row;
    label.id = batch.items[0].id;
    hand_in(queue::TicketId{second_id, 1}, {label});
    const IngestReport report = ingest();
    EXPECT_EQ(report.generations.size(), 2U);
    const h5::InputFile second(labels("labels.g0002.h5"));
    EXPECT_FALSE(second.has("features"));
    EXPECT_THAT(second.text("id"), ElementsAre(batch.items[0].id));
}

TEST_F(Generations, one_long_id_does_not_pad_the_others) {
    Generation generation;
    generation.label_shape = {LabelShape::Kind::numbers, 1, {}};
    generation.labels.row = std::vector<RowId>(1000, 1);
    generation.labels.y = std::vector<double>(1000, 1.0);
    generation.labels.id = std::vector<std::string>(1000, "short");
    generation.labels.id[3] = std::string(100'000, 'x');
    open_labels_directory(labels_);
    const std::string file = publish_generation(labels_, 1, generation);
    EXPECT_LT(fs::file_size(file), 1'000'000U);
    EXPECT_EQ(h5::InputFile(file).text("id"), generation.labels.id);
}

TEST_F(Generations, leftovers_of_killed_runs_are_removed_and_those_of_the_living_are_not) {
    const pid_t gone = ::fork();
    if (gone == 0) ::_exit(0);
    ::waitpid(gone, nullptr, 0);
    open_labels_directory(labels_);
    const std::string prefix = ".sluice-" + process_place() + "-";
    const std::string living = prefix + std::to_string(::getpid()) + "-host.1.ab.tmp";
    std::ofstream(labels(prefix + std::to_string(gone) + "-host.1.ab.tmp")) << "x";
    std::ofstream(labels(living)) << "x";
    std::ofstream(labels(".sluice-elsewhere-1-host.1.ab.tmp")) << "x";
    ingest();
    EXPECT_THAT(names_in(labels_),
                UnorderedElementsAre(".sluice-elsewhere-1-host.1.ab.tmp", living));
}

TEST_F(Generations, labels_of_other_programs_are_left_alone) {
    open_labels_directory(labels_);
    {
        h5::OutputFile file(labels("labels.g0003.h5"));
        const std::vector<std::int64_t> rows{999};
        file.write_dataset<std::int64_t>("row", rows, {1});
        file.close();
    }
    hand_in(1, {result(0, {1.0})});
    EXPECT_THAT(ingest().generations, ElementsAre(labels("labels.g0004.h5")));
}

TEST_F(Generations, a_directory_that_cannot_be_trusted_or_is_none_is_refused) {
    fs::create_directory(labels_);
    fs::permissions(labels_, fs::perms::others_write, fs::perm_options::add);
    expect_error(ExitCode::permission, "chmod o-w", [&] { ingest(); });
    fs::remove(labels_);
    std::ofstream(labels_.c_str()) << "x";
    expect_error(ExitCode::cannot_create, "not a directory", [&] { ingest(); });
    IngestRequest elsewhere = request();
    elsewhere.queue_directory = directory_.file("nothing");
    expect_error(ExitCode::no_input, "no queue", [&] { labels::ingest(elsewhere); });
    EXPECT_FALSE(fs::exists(directory_.file("nothing")));
}

}  // namespace
}  // namespace sluice::labels
