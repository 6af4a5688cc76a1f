#pragma once

#include "benchmarks/k_center_data.hpp"
#include "select/diversity.hpp"

#include <cmath>
#include <fstream>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sluice::bench {

/// A rule and what it picks from.
struct PickTask {
    std::string id;
    std::string rule;
    std::int64_t num_picks = 0;
    Features features;
    std::vector<RowId> rows;
    std::vector<float> scores;
    std::vector<float> says;  ///< [N, classes] probabilities of one member, or empty
    std::int64_t classes = 0;

    explicit PickTask(Features made)
        : features(std::move(made)),
          rows(static_cast<std::size_t>(features.rows)),
          scores(rows.size(), 1.0F) {
        std::iota(rows.begin(), rows.end(), RowId{0});
    }

    /// Softmax of normal logits; the same ones in every run.
    void make_says(std::int64_t num_classes) {
        classes = num_classes;
        says = normal_matrix(features.rows, classes, 4);
        for (std::int64_t i = 0; i < features.rows; ++i) {
            const std::span<float> own = std::span(says).subspan(
                static_cast<std::size_t>(i * classes), static_cast<std::size_t>(classes));
            float sum = 0.0F;
            for (float& value : own)
                sum += value = std::exp(3.0F * value);
            for (float& value : own)
                value /= sum;
        }
    }

    select::ShortlistShare share() const {
        select::ShortlistShare share;
        share.rows = rows;
        share.scores = scores;
        share.features = {features.values.data(), features.rows, features.dim};
        share.member_says = says;
        share.members = says.empty() ? 0 : 1;
        share.classes = classes;
        share.visit_centers = [](const auto&) {};
        return share;
    }

    /// Writes FOLDER/ID.f32 and, if there are any, FOLDER/ID.says; nothing without a folder.
    void dump(const std::string& folder) const {
        if (folder.empty()) return;
        const auto write = [&](const char* suffix, const std::vector<float>& values) {
            std::ofstream file(folder + "/" + id + suffix, std::ios::binary);
            file.write(reinterpret_cast<const char*>(values.data()),
                       static_cast<std::streamsize>(values.size() * sizeof(float)));
        };
        write(".f32", features.values);
        if (!says.empty()) write(".says", says);
    }

    /// Writes FOLDER/ID.picks, a row a line.
    void dump_picks(const std::string& folder, const select::DiverseBatch& batch) const {
        if (folder.empty()) return;
        std::ofstream file(folder + "/" + id + ".picks");
        for (const select::DiversePick& pick : batch.picks)
            file << pick.row << '\n';
    }
};

}  // namespace sluice::bench
