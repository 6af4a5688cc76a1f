#include "h5/input_file.hpp"
#include "labels/labeled_rows.hpp"
#include "tests/labels/ingest_fixture.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace sluice::labels {
namespace {

using queue::ItemResult;
using queue::ItemStatus;
using queue::Queue;
using test::first_id;
using test::names_in;
using test::publish_sample;
using test::second_id;
using test::tree_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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
    EXPECT_THAT(read_labeled_rows({{labels_}}, 100, alone), ElementsAre(0, 10, 20));
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
    const IngestReport report = labels::ingest(tolerant);
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
    IngestReport report = labels::ingest(three_classes);
    EXPECT_EQ(report.rejected, 1);
    EXPECT_EQ(report.labels, 1);
    hand_in(1, {person_says(0, 0, "bob")}, 2);
    report = labels::ingest(three_classes);
    EXPECT_EQ(report.labels, 1);
    EXPECT_EQ(report.conflicts, 0);
    hand_in(2, {result(2, {1.0})}, 1);
    EXPECT_EQ(labels::ingest(three_classes).rejected, 1);
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
    ASSERT_EQ(report.damaged.size(), 1U);
    EXPECT_THAT(report.damaged[0], HasSubstr(damaged));
    ASSERT_EQ(report.forbidden.size(), 1U);
    EXPECT_THAT(report.forbidden[0], HasSubstr(link));
    EXPECT_THAT(names_in(path("results")), ElementsAre(damaged, link));
    EXPECT_EQ(ingest().damaged, report.damaged);
    EXPECT_THAT(names_in(labels_), ElementsAre("labels.g0001.h5"));
}

}  // namespace
}  // namespace sluice::labels
