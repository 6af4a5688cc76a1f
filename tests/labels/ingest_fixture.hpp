#pragma once

#include "labels/ingest.hpp"
#include "queue/result_file.hpp"
#include "tests/queue/queue_fixture.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::test {

/// A queue and a labels directory beside it. Items of sample_batch: rows 0, 10, 20, ..., two a
/// ticket.
class IngestTest : public QueueTest {
  protected:
    labels::IngestRequest request() const {
        labels::IngestRequest request;
        request.queue_directory = root_;
        request.labels_directory = labels_;
        return request;
    }

    labels::IngestReport ingest() const { return labels::ingest(request()); }

    std::string labels(const std::string& name) const { return labels_ + "/" + name; }

    /// A result of an item of the first batch, whose rows are 0, 10, 20, ...
    static queue::ItemResult result(std::int64_t item, std::vector<double> y) {
        queue::ItemResult result;
        result.item = item;
        result.row = 10 * item;
        result.id = "item-" + std::to_string(result.row);
        result.status = queue::ItemStatus::ok;
        result.y = std::move(y);
        result.oracle_hash = "feed";
        result.wall_seconds = 0.25;
        return result;
    }

    static queue::ItemResult failure(std::int64_t item, queue::ItemStatus status) {
        queue::ItemResult failed = result(item, {});
        failed.status = status;
        failed.reason = "no luck";
        return failed;
    }

    static queue::ItemResult person_says(std::int64_t item, int class_index,
                                         const std::string& annotator) {
        queue::ItemResult label = result(item, {static_cast<double>(class_index)});
        label.is_class = true;
        label.annotator = annotator;
        return label;
    }

    /// Hands in results for a ticket of the first batch as holder number `holder`; returns the name
    /// of the file. Files of holders are taken in the order of their numbers.
    std::string hand_in(std::int64_t ticket, const std::vector<queue::ItemResult>& results,
                        int holder = 1, int attempt = 1) const {
        return hand_in(queue::TicketId{first_id, ticket}, results, holder, attempt);
    }

    std::string hand_in(const queue::TicketId& ticket,
                        const std::vector<queue::ItemResult>& results, int holder = 1,
                        int attempt = 1) const {
        queue::ResultName name;
        name.token.ticket = ticket;
        name.token.attempt = attempt;
        std::string nonce = std::to_string(holder);
        nonce.insert(0, 20 - nonce.size(), '0');
        name.token.holder = queue::Holder{"node", 42, nonce};
        name.part = "1";
        queue::publish_results(root_, name, results);
        return queue::result_file_name(name);
    }

    void settle_back(const std::string& file) const {
        std::filesystem::rename(path("settled/" + file), path("results/" + file));
    }

    static std::vector<nlohmann::json> lines_of(const std::string& file) {
        std::ifstream in(file);
        std::vector<nlohmann::json> lines;
        for (std::string line; std::getline(in, line);)
            lines.push_back(nlohmann::json::parse(line));
        return lines;
    }

    std::string labels_ = directory_.file("labels");
};

}  // namespace sluice::test
