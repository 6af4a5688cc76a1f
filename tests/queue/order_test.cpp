#include "queue/order.hpp"

#include "core/error.hpp"
#include "tests/queue/queue_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>

namespace sluice::queue {
namespace {

using test::first_id;
using test::names_in;
using test::QueueTest;
using test::sample_batch;
using test::second_id;

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
