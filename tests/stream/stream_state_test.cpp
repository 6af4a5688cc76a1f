#include "stream/stream_state.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

namespace sluice::stream {
namespace {

TEST(StreamState, reads_back_to_the_same_bits) {
    const test::TemporaryDirectory directory;
    const std::string path = directory.file("state.h5");
    EXPECT_FALSE(load_state(path, "o").has_value());
    const StreamState state{7,           3, 1.0 / 3.0, 0.1 + 0.2, 2, {1.0, 2.0 / 7.0, 3.0, 4.0},
                            {5, 6, 7, 8}};
    save_state(path, "o", state);
    const StreamState read = load_state(path, "o").value();
    EXPECT_EQ(read.seen, state.seen);
    EXPECT_EQ(read.asked, state.asked);
    EXPECT_EQ(read.spending, state.spending);
    EXPECT_EQ(read.threshold, state.threshold);
    EXPECT_EQ(read.dim, state.dim);
    EXPECT_EQ(read.inverse, state.inverse);
    EXPECT_EQ(read.squares, state.squares);
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
