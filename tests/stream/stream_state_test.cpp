#include "stream/stream_state.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "stream/observation.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

namespace sluice::stream {
namespace {

TEST(StreamState, reads_back_to_the_same_bits) {
    const test::TemporaryDirectory directory;
    const std::string path = directory.file("state.h5");
    EXPECT_FALSE(load_state(path, "o").has_value());
    StreamState state{7,  3, 1.0 / 3.0, 0.1 + 0.2, 2, {1.0, 2.0 / 7.0, 3.0, 4.0}, {5, 6, 7, 8},
                      {}, {}};
    state.asked_items.add(5, {"five", {0.1, 0.2}, {1.5}, {}, {}}, 0.5);
    state.asked_items.add(6, {"", {0.3, 0.4}, {2.5}, {}, {}}, 0.25);
    state.skipped.offer(0, 2, 3, "three", 0.9);
    save_state(path, "o", state);
    const StreamState read = load_state(path, "o").value();
    EXPECT_EQ(read.seen, state.seen);
    EXPECT_EQ(read.asked, state.asked);
    EXPECT_EQ(read.spending, state.spending);
    EXPECT_EQ(read.threshold, state.threshold);
    EXPECT_EQ(read.dim, state.dim);
    EXPECT_EQ(read.inverse, state.inverse);
    EXPECT_EQ(read.squares, state.squares);
    EXPECT_EQ(read.asked_items.ids, (std::vector<std::string>{"five", "6"}));
    EXPECT_EQ(read.asked_items.numbers, (std::vector<RowId>{5, 6}));
    EXPECT_EQ(read.asked_items.features, state.asked_items.features);
    EXPECT_EQ(read.asked_items.inputs, state.asked_items.inputs);
    EXPECT_EQ(read.asked_items.dim, 2);
    EXPECT_EQ(read.asked_items.num_inputs, 1);
    EXPECT_EQ(read.skipped.num_skipped, 1);
    EXPECT_EQ(read.skipped.ids, std::vector<std::string>{"three"});
}

TEST(StreamState, of_other_options_or_of_no_stream_is_refused) {
    const test::TemporaryDirectory directory;
    const std::string path = directory.file("state.h5");
    save_state(path, "budget 0.1", StreamState{});
    test::expect_error(ExitCode::bad_config, "made with other options (budget 0.1, now budget 0.2)",
                       [&] { load_state(path, "budget 0.2"); });
    publish_text_file(path, "nonsense");
    test::expect_error(ExitCode::bad_data, "state.h5", [&] { load_state(path, "budget 0.1"); });
}

}  // namespace
}  // namespace sluice::stream
