#pragma once

#include "core/durable_file.hpp"
#include "queue/claim.hpp"
#include "queue/layout.hpp"
#include "queue/result_file.hpp"
#include "tests/queue/queue_fixture.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

namespace sluice::test {

/// What a worker says of one item: a label unless `status` is another.
inline queue::ItemResult result_of(const queue::TicketItem& item,
                                   queue::ItemStatus status = queue::ItemStatus::ok,
                                   const std::string& reason = {}) {
    queue::ItemResult result;
    result.item = item.item;
    result.row = item.row;
    result.id = item.id;
    result.status = status;
    result.reason = reason;
    result.wall_seconds = 2.0;
    if (status == queue::ItemStatus::ok) result.y = {static_cast<double>(item.row) + 0.5};
    return result;
}

/// Publishes results under the name of a lease.
inline void publish_part(const std::string& queue_directory, const queue::Token& token,
                         const std::vector<queue::ItemResult>& results,
                         const std::string& part = "p1") {
    queue::ResultName name{token, part};
    name.token.lease_seconds = 0;
    queue::publish_results(queue_directory, name, results);
}

template <typename State>
std::int64_t sum_of(const std::map<State, std::int64_t>& counts) {
    return std::accumulate(counts.begin(), counts.end(), std::int64_t{0},
                           [](std::int64_t sum, const auto& count) { return sum + count.second; });
}

/// A queue with one batch of six items in three tickets, and a worker.
class QueueStateTest : public QueueTest {
  protected:
    QueueStateTest() {
        queue::Queue queue(root_);
        publish_sample(queue, first_id, 6);
    }

    queue::Claimer& worker() {
        if (!worker_) worker_.emplace(root_, queue::ClaimOptions{});
        return *worker_;
    }

    /// Takes a ticket and hands in one status for all its items, the token removed.
    queue::Token label_one(queue::ItemStatus status = queue::ItemStatus::ok,
                           const std::string& reason = {}) {
        const queue::Token token = worker().claim().value();
        std::vector<queue::ItemResult> results;
        for (const queue::TicketItem& item : worker().open_items(token))
            results.push_back(result_of(item, status, reason));
        publish_part(root_, token, results);
        worker().finish(token);
        return token;
    }

    std::string result_path(const std::string& folder, const queue::Token& token,
                            const std::string& part = "p1") const {
        queue::ResultName name{token, part};
        name.token.lease_seconds = 0;
        return path(folder + "/" + queue::result_file_name(name));
    }

    /// What ingest does with a result file once its labels are safe.
    void settle(const queue::Token& token, const std::string& part = "p1") const {
        std::filesystem::rename(result_path("results", token, part),
                                result_path("settled", token, part));
    }

    static void flip_byte(const std::string& file, std::size_t position) {
        std::string text = read_text_file(file);
        text.at(position) = static_cast<char>(text.at(position) ^ 1);
        std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
    }

    std::optional<queue::Claimer> worker_;
};

}  // namespace sluice::test
