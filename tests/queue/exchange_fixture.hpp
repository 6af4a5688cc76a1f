#pragma once

#include "queue/exchange.hpp"
#include "queue/fsck.hpp"
#include "queue/status.hpp"
#include "tests/queue/queue_state_fixture.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace sluice::queue {

using Json = nlohmann::ordered_json;
using Counts = std::map<ItemState, std::int64_t>;

/// A queue of six items, and a person.
class ExchangeTest : public test::QueueStateTest {
  protected:
    std::int64_t give(const std::string& format, std::int64_t max_items = 0,
                      const std::string& person = "anna") {
        ExportRequest request;
        request.queue_directory = root_;
        request.format = format;
        request.path = file_;
        request.person = person;
        request.max_items = max_items;
        return export_items(request);
    }

    ImportReport take(const std::string& format, const std::string& text,
                      const std::vector<std::string>& class_names = {}) {
        ImportRequest request;
        request.queue_directory = root_;
        request.format = format;
        request.path = directory_.file("answers");
        request.class_names = class_names;
        std::ofstream(request.path, std::ios::binary | std::ios::trunc) << text;
        return import_answers(request);
    }

    std::string exported() const { return read_text_file(file_); }

    // The exported lines of jsonl with an answer each: 10, 11, ...
    std::vector<std::string> answered_lines() {
        std::vector<std::string> lines;
        std::string text = exported();
        for (double y = 10.0; !text.empty(); y += 1.0) {
            const std::size_t end = text.find('\n');
            Json line = Json::parse(text.substr(0, end));
            line["y"] = y;
            line["annotator"] = "anna";
            lines.push_back(line.dump() + "\n");
            text.erase(0, end + 1);
        }
        return lines;
    }

    Counts counts() const { return queue_status(root_).counts; }

    void expect_clean() {
        const FsckReport report = check_queue(root_, std::chrono::milliseconds(5));
        EXPECT_TRUE(report.clean()) << fsck_text(report);
        EXPECT_EQ(test::sum_of(report.counts), report.items);
    }

    // Every result of the queue, by item.
    std::multimap<std::int64_t, ItemResult> results() const {
        std::multimap<std::int64_t, ItemResult> all;
        for (const std::string& name : test::names_in(path("results"))) {
            for (const ItemResult& result : read_result_file(path("results/" + name)).results)
                all.emplace(result.item, result);
        }
        return all;
    }

    const std::string file_ = directory_.file("tasks");
};

}  // namespace sluice::queue
