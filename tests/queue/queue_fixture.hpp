#pragma once

#include "queue/publish.hpp"
#include "tests/queue/sample_batch.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace sluice::test {

inline const std::string first_id = "00112233445566aa";
inline const std::string second_id = "ffeeddccbbaa9988";

/// Every regular file below `directory`: relative name -> content.
inline std::map<std::string, std::string> tree_of(const std::string& directory) {
    namespace fs = std::filesystem;
    std::map<std::string, std::string> tree;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream file(entry.path(), std::ios::binary);
        tree[fs::relative(entry.path(), directory)] = {std::istreambuf_iterator<char>(file), {}};
    }
    return tree;
}

/// Names in a directory, sorted.
inline std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
}

/// What one selection does with a queue.
inline queue::PublishOutcome publish_sample(queue::Queue& queue, const std::string& id,
                                            std::size_t num_items = 3) {
    const std::int64_t num_issued = queue.num_issued();
    return queue.publish(sample_batch(id, queue.issued_rows(), num_items), num_issued);
}

/// A place for one queue directory.
class QueueTest : public ::testing::Test {
  protected:
    std::string path(const std::string& name) const { return directory_.file("queue/" + name); }
    std::string batch_path(const std::string& name) const {
        return path("batches/" + first_id + "/" + name);
    }

    TemporaryDirectory directory_;
    std::string root_ = directory_.file("queue");
};

}  // namespace sluice::test
