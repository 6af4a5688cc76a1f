#include "campaign/generation.hpp"
#include "campaign/ingest_run.hpp"
#include "campaign/labels.hpp"
#include "campaign/labels_directory.hpp"
#include "core/process_place.hpp"
#include "h5/input_file.hpp"
#include "h5/output_file.hpp"
#include "tests/campaign/ingest_fixture.hpp"
#include "tests/support/expect_error.hpp"

#include <gmock/gmock.h>

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

namespace sluice::campaign {
namespace {

using queue::ItemResult;
using queue::ItemStatus;
using queue::Queue;
using test::expect_error;
using test::first_id;
using test::names_in;
using test::publish_sample;
using test::second_id;
using test::tree_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

namespace fs = std::filesystem;

class Ingest : public test::IngestTest {
  protected:
    void SetUp() override {
        Queue queue(root_);
        publish_sample(queue, first_id, 6);
    }
};

TEST_F(Ingest, labels_come_with_everything_that_is_known_of_them) {
    const std::string first = hand_in(1, {result(0, {1.5, -2.0}), result(1, {0.1, 3e-300})});
    const std::string second = hand_in(3, {result(5, {7.0, 8.0})});
    const IngestReport report = ingest();
    EXPECT_EQ(report.labels, 3);
    EXPECT_EQ(report.files, 2);
    EXPECT_THAT(report.generations, ElementsAre(labels("labels.g0001.h5")));
    EXPECT_EQ(ingest_text(report), "ingested 3 labels into " + labels("labels.g0001.h5") + "\n");

    const h5::InputFile file(labels("labels.g0001.h5"));
    EXPECT_EQ(file.attribute_text("/", "format"), "sluice-labels");
    EXPECT_EQ(file.attribute_integer("/", "format_version"), 1);
    EXPECT_EQ(file.attribute_integer("/", "generation"), 1);
    EXPECT_THAT(file.integers("row"), ElementsAre(0, 10, 50));
    EXPECT_THAT(file.text("id"), ElementsAre("item-0", "item-10", "item-50"));
    EXPECT_THAT(file.floats("features"), ElementsAre(0, 0, 10, -10, 50, -50));
    EXPECT_THAT(file.doubles("inputs"),
                ElementsAre(0, -1.5e-300, 0.1 * 10, -1.5e-300, 0.1 * 50, -1.5e-300));
    EXPECT_THAT(*file.attribute_list("inputs", "names"), ElementsAre("x", "y"));
    EXPECT_THAT(*file.attribute_list("inputs", "units"), ElementsAre("angstrom", "1"));
    EXPECT_THAT(file.dims("y"), ElementsAre(3, 2));
    EXPECT_THAT(file.doubles("y"), ElementsAre(1.5, -2.0, 0.1, 3e-300, 7.0, 8.0));
    EXPECT_THAT(file.text("source"), ElementsAre("oracle", "oracle", "oracle"));
    EXPECT_THAT(file.integers("round"), ElementsAre(0, 0, 0));
    EXPECT_THAT(file.doubles("cost"), ElementsAre(0.25, 0.25, 0.25));
    EXPECT_THAT(file.text("oracle"), ElementsAre("feed", "feed", "feed"));
    EXPECT_THAT(file.text("batch"), ElementsAre(first_id, first_id, first_id));
    EXPECT_THAT(file.integers("item"), ElementsAre(0, 1, 5));
    EXPECT_THAT(file.integers("repeats"), ElementsAre(1, 1, 1));
    EXPECT_THAT(file.floats("agreement"), ElementsAre(1, 1, 1));
    EXPECT_THAT(file.text("files"), ElementsAre(first, second));
    EXPECT_THAT(names_in(path("results")), IsEmpty());
    EXPECT_THAT(names_in(path("settled")), ElementsAre(first, second));
    EXPECT_THAT(names_in(labels_), ElementsAre("labels.g0001.h5"));
}

TEST_F(Ingest, generations_hold_only_what_is_new_and_unite_to_all_labels) {
    hand_in(1, {result(0, {1.0}), result(1, {2.0})});
    ingest();
    hand_in(2, {result(2, {3.0})});
    EXPECT_THAT(ingest().generations, ElementsAre(labels("labels.g0002.h5")));
    EXPECT_THAT(h5::InputFile(labels("labels.g0002.h5")).integers("row"), ElementsAre(20));
    comm::Communicator alone;
    EXPECT_THAT(read_labeled_rows(labels_, 100, alone), ElementsAre(0, 10, 20));
}

TEST_F(Ingest, nothing_to_do_changes_nothing) {
    EXPECT_EQ(ingest_text(ingest()), "nothing to ingest: no results are waiting\n");
    hand_in(1, {result(0, {1.0})});
    ingest();
    const auto queue_before = tree_of(root_);
    const auto labels_before = tree_of(labels_);
    const IngestReport report = ingest();
    EXPECT_EQ(report.labels + report.repeats + report.files, 0);
    EXPECT_EQ(tree_of(root_), queue_before);
    EXPECT_EQ(tree_of(labels_), labels_before);
}

TEST_F(Ingest, failures_and_refusals_are_counted_and_settled_without_a_generation) {
    hand_in(1, {failure(0, ItemStatus::nonconverged), failure(1, ItemStatus::timeout)});
    hand_in(2, {failure(2, ItemStatus::nonconverged), failure(3, ItemStatus::refused)});
    const IngestReport report = ingest();
    EXPECT_EQ(ingest_text(report),
              "no new labels (1 refusal, 3 without a label: 2 nonconverged, "
              "1 timeout)\n");
    EXPECT_THAT(names_in(labels_), IsEmpty());
    EXPECT_THAT(names_in(path("results")), IsEmpty());
    EXPECT_EQ(names_in(path("settled")).size(), 2U);
}

TEST_F(Ingest, an_item_that_failed_first_still_gets_its_label) {
    hand_in(1, {failure(0, ItemStatus::nonconverged)}, 1);
    hand_in(1, {result(0, {4.0})}, 2);
    const IngestReport report = ingest();
    EXPECT_EQ(report.labels, 1);
    EXPECT_TRUE(report.failures.empty());
    hand_in(1, {failure(0, ItemStatus::timeout)}, 3);
    EXPECT_TRUE(ingest().failures.empty());
}

TEST_F(Ingest, the_same_label_again_is_a_repeat_at_once_or_later) {
    hand_in(1, {result(0, {1.0})}, 1);
    hand_in(1, {result(0, {1.0})}, 2);
    IngestReport report = ingest();
    EXPECT_EQ(report.labels, 1);
    EXPECT_EQ(report.repeats, 1);
    EXPECT_THAT(h5::InputFile(labels("labels.g0001.h5")).integers("repeats"), ElementsAre(2));
    hand_in(1, {result(0, {1.0})}, 3);
    report = ingest();
    EXPECT_EQ(report.labels, 0);
    EXPECT_EQ(report.repeats, 1);
    EXPECT_EQ(ingest_text(report), "no new labels (1 repeat)\n");
    EXPECT_THAT(names_in(labels_), ElementsAre("labels.g0001.h5"));
    EXPECT_EQ(names_in(path("settled")).size(), 3U);
}

TEST_F(Ingest, unequal_labels_are_listed_and_the_first_counts) {
    const std::string file = hand_in(1, {result(0, {1.0}), result(1, {5.0})}, 1);
    hand_in(1, {result(0, {1.0 + 1e-15})}, 2);
    const IngestReport report = ingest();
    EXPECT_EQ(report.labels, 2);
    EXPECT_EQ(report.conflicts, 1);
    EXPECT_THAT(report.conflict_files, ElementsAre(labels("conflicts.g0001.jsonl")));
    EXPECT_THAT(h5::InputFile(labels("labels.g0001.h5")).doubles("y"), ElementsAre(1.0, 5.0));
    EXPECT_THAT(h5::InputFile(labels("labels.g0001.h5")).floats("agreement"),
                ElementsAre(0.5F, 1.0F));
    const auto lines = lines_of(labels("conflicts.g0001.jsonl"));
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0]["batch"], first_id);
    EXPECT_EQ(lines[0]["item"], 0);
    EXPECT_EQ(lines[0]["row"], 0);
    EXPECT_EQ(lines[0]["id"], "item-0");
    EXPECT_EQ(lines[0]["kind"], "conflict");
    ASSERT_EQ(lines[0]["labels"].size(), 2U);
    EXPECT_EQ(lines[0]["labels"][0]["y"][0], 1.0);
    EXPECT_EQ(lines[0]["labels"][0]["counts"], true);
    EXPECT_EQ(lines[0]["labels"][0]["file"], file);
    EXPECT_EQ(lines[0]["labels"][1]["y"][0], 1.0 + 1e-15);
    EXPECT_EQ(lines[0]["labels"][1]["counts"], false);
}

TEST_F(Ingest, a_later_unequal_label_is_listed_once_beside_the_one_that_counts) {
    hand_in(1, {result(0, {1.0})}, 1);
    ingest();
    const std::string late = hand_in(1, {result(0, {2.0})}, 2);
    const IngestReport report = ingest();
    EXPECT_EQ(report.conflicts, 1);
    EXPECT_THAT(report.generations, IsEmpty());
    ASSERT_EQ(report.conflict_files.size(), 1U);
    const auto lines = lines_of(report.conflict_files[0]);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0]["labels"][0]["generation"], "labels.g0001.h5");
    EXPECT_EQ(lines[0]["labels"][0]["y"][0], 1.0);
    EXPECT_EQ(lines[0]["labels"][1]["y"][0], 2.0);
    // Killed before the file was moved: the same list under the same name.
    settle_back(late);
    EXPECT_EQ(ingest().conflict_files, report.conflict_files);
    EXPECT_EQ(names_in(labels_).size(), 2U);
}

TEST_F(Ingest, what_counts_is_what_a_generation_holds_whatever_the_order_of_files) {
    hand_in(1, {result(0, {2.0})}, 1, 2);
    ingest();
    hand_in(1, {result(0, {1.0})}, 1, 1);  // a holder that was taken for lost
    EXPECT_EQ(ingest().conflicts, 1);
    hand_in(1, {result(0, {2.0})}, 2, 2);
    const IngestReport report = ingest();
    EXPECT_EQ(report.repeats, 1);
    EXPECT_EQ(report.conflicts, 0);
}

TEST_F(Ingest, labels_within_the_tolerance_are_repeats) {
    hand_in(1, {result(0, {1.0, -100.0})}, 1);
    hand_in(1, {result(0, {1.0009, -100.1})}, 2);
    hand_in(1, {result(0, {1.0, -100.2})}, 3);
    IngestRequest tolerant = request();
    tolerant.tolerance = 1e-3;
    const IngestReport report = campaign::ingest(tolerant);
    EXPECT_EQ(report.repeats, 1);
    EXPECT_EQ(report.conflicts, 1);
}

TEST_F(Ingest, what_most_people_say_counts) {
    hand_in(1, {person_says(0, 3, "ann"), person_says(1, 7, "ann")}, 1);
    hand_in(1, {person_says(0, 4, "bob"), person_says(1, 8, "bob")}, 2);
    hand_in(1, {person_says(0, 4, "cem")}, 3);
    const IngestReport report = ingest();
    EXPECT_EQ(report.labels, 2);
    EXPECT_EQ(report.conflicts, 0);
    EXPECT_EQ(report.disagreements, 2);
    EXPECT_EQ(report.repeats, 1);
    const h5::InputFile file(labels("labels.g0001.h5"));
    EXPECT_THAT(file.dims("y"), ElementsAre(2));
    EXPECT_THAT(file.integers("y"), ElementsAre(4, 7));  // a tie goes to the first
    EXPECT_THAT(file.text("source"), ElementsAre("human", "human"));
    EXPECT_THAT(file.integers("repeats"), ElementsAre(3, 2));
    EXPECT_THAT(file.floats("agreement"), ElementsAre(2.0F / 3.0F, 0.5F));
    const auto lines = lines_of(labels("conflicts.g0001.jsonl"));
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0]["kind"], "disagreement");
    EXPECT_EQ(lines[0]["labels"][1]["annotator"], "bob");
    EXPECT_EQ(lines[0]["labels"][1]["counts"], true);
    hand_in(1, {person_says(0, 3, "dan")}, 4);
    EXPECT_EQ(ingest().conflicts, 1);  // it counts already: nothing is overwritten
}

TEST_F(Ingest, lines_about_other_items_go_to_quarantine_with_their_reasons) {
    ItemResult other_row = result(1, {1.0});
    other_row.row = 11;
    ItemResult other_id = result(1, {1.0});
    other_id.id = "../item-10";
    const std::string file =
        hand_in(1, {result(0, {1.0}), result(2, {1.0}), other_row, other_id, result(1, {2.0})});
    const std::string no_ticket = hand_in(9, {result(0, {1.0})});
    const std::string no_batch = hand_in(queue::TicketId{second_id, 1}, {result(0, {1.0})});
    const IngestReport report = ingest();
    EXPECT_EQ(report.labels, 2);
    EXPECT_EQ(report.rejected, 5);
    EXPECT_EQ(report.files, 3);
    EXPECT_THAT(h5::InputFile(labels("labels.g0001.h5")).doubles("y"), ElementsAre(1.0, 2.0));
    const auto lines = lines_of(path("quarantine/" + file + ".rejected.jsonl"));
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(lines[0]["line"], 2);
    EXPECT_THAT(lines[0]["reason"], HasSubstr("item 2 is not of this ticket"));
    EXPECT_EQ(lines[0]["result"]["item"], 2);
    EXPECT_THAT(lines[1]["reason"], HasSubstr("row 11"));
    EXPECT_THAT(lines[2]["reason"], HasSubstr("id '../item-10'"));
    for (const std::string& name : {no_ticket, no_batch}) {
        const auto foreign = lines_of(path("quarantine/" + name + ".rejected.jsonl"));
        ASSERT_EQ(foreign.size(), 1U) << name;
        EXPECT_THAT(foreign[0]["reason"], HasSubstr("no such batch or ticket"));
    }
    EXPECT_EQ(names_in(path("settled")).size(), 3U);
    EXPECT_THAT(names_in(path("tmp")), IsEmpty());
}

TEST_F(Ingest, labels_of_another_kind_or_shape_are_rejected) {
    ItemResult volts = result(0, {1.0, 2.0});
    volts.units = {"V", "V"};
    ItemResult amperes = result(3, {1.0, 2.0});
    amperes.units = {"A", "A"};
    hand_in(1, {volts, result(1, {1.0})});
    const std::string second = hand_in(2, {person_says(2, 1, "ann"), amperes});
    EXPECT_EQ(ingest().rejected, 3);
    const auto lines = lines_of(path("quarantine/" + second + ".rejected.jsonl"));
    EXPECT_THAT(lines.at(0)["reason"], HasSubstr("a class where the labels so far are numbers"));
    EXPECT_THAT(lines.at(1)["reason"], HasSubstr("units 'A, A'"));
    EXPECT_THAT(*h5::InputFile(labels("labels.g0001.h5")).attribute_list("y", "units"),
                ElementsAre("V", "V"));
    hand_in(3, {result(4, {1.0, 2.0, 3.0}), result(5, {1.0, 2.0})});  // a run of its own
    const IngestReport report = ingest();
    EXPECT_EQ(report.rejected, 1);
    EXPECT_EQ(report.labels, 1);
}

TEST_F(Ingest, a_class_out_of_range_is_rejected_and_leaves_the_item_without_a_label) {
    IngestRequest three_classes = request();
    three_classes.classes = 3;
    hand_in(1, {person_says(0, 3, "ann"), person_says(1, 2, "ann")}, 1);
    IngestReport report = campaign::ingest(three_classes);
    EXPECT_EQ(report.rejected, 1);
    EXPECT_EQ(report.labels, 1);
    hand_in(1, {person_says(0, 0, "bob")}, 2);
    report = campaign::ingest(three_classes);
    EXPECT_EQ(report.labels, 1);
    EXPECT_EQ(report.conflicts, 0);
    hand_in(2, {result(2, {1.0})}, 1);
    EXPECT_EQ(campaign::ingest(three_classes).rejected, 1);
}

TEST_F(Ingest, damaged_files_stay_and_the_rest_is_taken) {
    const std::string damaged = hand_in(1, {result(0, {1.0})}, 1);
    hand_in(1, {result(1, {2.0})}, 2);
    {
        std::fstream file(path("results/" + damaged), std::ios::in | std::ios::out);
        file.seekp(3);
        file << "#";
    }
    const std::string link = hand_in(2, {result(2, {1.0})}, 1);
    fs::rename(path("results/" + link), directory_.file("elsewhere"));
    fs::create_symlink(directory_.file("elsewhere"), path("results/" + link));
    const IngestReport report = ingest();
    EXPECT_EQ(report.labels, 1);
    EXPECT_EQ(report.files, 1);
    ASSERT_EQ(report.damaged.size(), 2U);
    EXPECT_THAT(report.damaged[0], HasSubstr(damaged));
    EXPECT_THAT(report.damaged[1], HasSubstr(link));
    EXPECT_THAT(names_in(path("results")), ElementsAre(damaged, link));
    EXPECT_EQ(ingest().damaged.size(), 2U);
    EXPECT_THAT(names_in(labels_), ElementsAre("labels.g0001.h5"));
}

TEST_F(Ingest, killed_before_the_files_were_moved_it_goes_on_there) {
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

TEST_F(Ingest, a_generation_is_never_replaced) {
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

TEST_F(Ingest, two_at_a_time_take_each_label_once) {
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

TEST_F(Ingest, a_large_queue_gives_several_generations_of_whole_tickets) {
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

TEST_F(Ingest, a_limit_on_bytes_splits_too) {
    hand_in(1, {result(0, {1.0})});
    hand_in(2, {result(2, {3.0})});
    EXPECT_EQ(ingest_within(request(), {.bytes = 100}).generations.size(), 2U);
}

TEST_F(Ingest, batches_whose_items_look_different_get_generations_of_their_own) {
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

TEST_F(Ingest, one_long_id_does_not_pad_the_others) {
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

TEST_F(Ingest, leftovers_of_killed_runs_are_removed_and_those_of_the_living_are_not) {
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

TEST_F(Ingest, labels_of_other_programs_are_left_alone) {
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

TEST_F(Ingest, a_directory_that_cannot_be_trusted_or_is_none_is_refused) {
    fs::create_directory(labels_);
    fs::permissions(labels_, fs::perms::others_write, fs::perm_options::add);
    expect_error(ExitCode::permission, "chmod o-w", [&] { ingest(); });
    fs::remove(labels_);
    std::ofstream(labels_.c_str()) << "x";
    expect_error(ExitCode::cannot_create, "not a directory", [&] { ingest(); });
    IngestRequest elsewhere = request();
    elsewhere.queue_directory = directory_.file("nothing");
    expect_error(ExitCode::no_input, "no queue", [&] { campaign::ingest(elsewhere); });
    EXPECT_FALSE(fs::exists(directory_.file("nothing")));
}

}  // namespace
}  // namespace sluice::campaign
