#pragma once

#include "queue/claim.hpp"
#include "queue/layout.hpp"
#include "queue/snapshot.hpp"
#include "tests/queue/queue_fixture.hpp"
#include "tests/queue/sample_results.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::test {

/// A queue in which batch `first_id` has two tickets: items 0 and 1, and item 2.
class LabelingTest : public QueueTest {
  protected:
    LabelingTest() { publish_sample(queue_, first_id); }

    /// Claims ticket `number`; others stay as they are.
    queue::Token claim_ticket(std::int64_t number, queue::ClaimOptions options = {}) {
        queue::Claimer claimer(root_, std::move(options));
        std::vector<queue::Token> others;
        std::optional<queue::Token> token = claimer.claim();
        for (; token && token->ticket.number != number; token = claimer.claim())
            others.push_back(*token);
        for (const queue::Token& other : others)
            unclaim(other);
        EXPECT_TRUE(token.has_value()) << "no ticket " << number << " could be claimed";
        return token.value_or(queue::Token());
    }

    /// As if it had never been claimed.
    void unclaim(const queue::Token& token) const {
        queue::Token before = token;
        before.holder.reset();
        before.lease_seconds = 0;
        std::filesystem::rename(leased_path(token), path("pending/" + queue::token_name(before)));
    }

    std::string leased_path(const queue::Token& token) const {
        return path("leased/" + queue::token_name(token));
    }

    /// Makes a leased token look as if it had been touched `seconds` ago.
    void set_age(const queue::Token& token, std::int64_t seconds) const {
        const struct timespec time = {std::time(nullptr) - seconds, 0};
        const struct timespec times[2] = {time, time};
        ASSERT_EQ(::utimensat(AT_FDCWD, leased_path(token).c_str(), times, 0), 0);
    }

    /// Renames a leased token to one of another holder.
    queue::Token hold_as(const queue::Token& token, const queue::Holder& holder) const {
        queue::Token other = token;
        other.holder = holder;
        std::filesystem::rename(leased_path(token), leased_path(other));
        return other;
    }

    queue::Queue queue_{root_};
};

}  // namespace sluice::test
