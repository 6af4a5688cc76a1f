#include "labels/training_labels.hpp"

#include "core/error.hpp"
#include "h5/output_file.hpp"
#include "tests/support/mpi_main.hpp"
#include "tests/support/shared_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

namespace sluice::labels {
namespace {

using test::world;
using ::testing::ElementsAre;

template <typename T>
void put(h5::OutputFile& file, const std::string& name, const std::vector<T>& values,
         std::int64_t width = 0) {
    std::vector<std::int64_t> dims = {std::ssize(values)};
    if (width > 0) dims = {std::ssize(values) / width, width};
    file.write_dataset(name, std::span<const T>(values), dims);
}

class TrainingLabels : public ::testing::Test {
  protected:
    std::string path(const std::string& name) const { return folder_.path() + "/" + name; }

    // Labels of classes; the features of row r are r and 10 r.
    void write(const std::string& name, const std::vector<std::int64_t>& rows,
               const std::vector<std::int32_t>& y, const std::vector<std::int64_t>& rounds) {
        world().agree([&] {
            if (!world().is_root()) return;
            h5::OutputFile file(path(name));
            put(file, "row", rows);
            put(file, "y", y);
            if (!rounds.empty()) put(file, "round", rounds);
            std::vector<float> features;
            for (const std::int64_t row : rows) {
                features.push_back(static_cast<float>(row));
                features.push_back(10.0F * static_cast<float>(row));
            }
            put(file, "features", features, 2);
            file.close();
        });
    }

    model::TrainingSet read(const std::vector<LabelSource>& sources, std::int64_t classes = 0) {
        return read_training_set(sources, nullptr, classes, world());
    }

    test::SharedDirectory folder_;
};

TEST_F(TrainingLabels, come_ascending_from_all_sources_the_first_one_counts) {
    write("a.h5", {7, 3, 5}, {1, 0, -1}, {});
    write("b.h5", {3, 5, 1}, {2, 2, 3}, {});
    const model::TrainingSet set = read({{path("a.h5")}, {path("b.h5")}});
    EXPECT_THAT(set.rows, ElementsAre(1, 3, 5, 7));
    EXPECT_THAT(set.classes, ElementsAre(3, 0, 2, 1));
    EXPECT_THAT(set.features, ElementsAre(1, 10, 3, 30, 5, 50, 7, 70));
    EXPECT_EQ(set.outputs, 4);
    EXPECT_EQ(set.dim, 2);
    EXPECT_EQ(set.source, path("a.h5") + ", " + path("b.h5"));
    EXPECT_EQ(read({{path("a.h5")}}, 6).outputs, 6);
}

TEST_F(TrainingLabels, of_some_rounds_only) {
    write("a.h5", {1, 2, 3, 4}, {0, 1, 0, 1}, {0, 1, 2, 3});
    write("b.h5", {9}, {1}, {});
    EXPECT_THAT(read({{path("a.h5"), 1, 2}}).rows, ElementsAre(2, 3));
    EXPECT_THAT(read({{path("a.h5"), 3, 9}, {path("b.h5"), 0, 0}}).rows, ElementsAre(4, 9));
    EXPECT_EQ(read({{path("b.h5"), 1, 1}}).size(), 0);
}

TEST_F(TrainingLabels, trouble_is_told_on_all_ranks) {
    write("a.h5", {1, 2}, {0, 5}, {});
    const auto message = [&](const std::vector<LabelSource>& sources) -> std::string {
        try {
            read(sources, 3);
        } catch (const Error& error) {
            return error.what();
        }
        return "none";
    };
    EXPECT_THAT(message({{path("a.h5")}}), ::testing::HasSubstr("/y[1]: class 5 is not from 0"));
    EXPECT_THAT(message({{path("nothere")}}), ::testing::HasSubstr("nothere"));
}

}  // namespace
}  // namespace sluice::labels
