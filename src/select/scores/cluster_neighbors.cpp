#include "select/scores/cluster_neighbors.hpp"

#include "core/progress.hpp"
#include "kernels/worker_pool.hpp"
#include "select/diversity/row_greedy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace sluice::select {
namespace {

constexpr std::int64_t told_rows = 8192;   // of all ranks at a time
constexpr std::int64_t panel_rows = 512;   // of so many the features stay in cache
constexpr std::int64_t rows_at_once = 16;  // that ask about a panel
constexpr float infinity = std::numeric_limits<float>::infinity();

// A row that a rank has told to all.
struct Told {
    std::int32_t cluster;
    std::int32_t rank;
    std::int64_t index;  // in that rank's share
};

// Told rows of one cluster, laid out for distances.
struct Panel {
    std::vector<std::int64_t> told;
    kernels::PackedRows rows;
};

// This rank's rows of one cluster that ask about the panels [first, last).
struct Question {
    std::span<const std::int64_t> rows;
    std::size_t first;
    std::size_t last;
};

class NeighborSearch {
  public:
    NeighborSearch(const ClusteredRows& rows, std::int64_t num_neighbors, int num_threads,
                   comm::Communicator& world)
        : rows_(rows),
          num_neighbors_(num_neighbors),
          num_threads_(num_threads),
          world_(world),
          nearest_(rows.cluster.size() * static_cast<std::size_t>(num_neighbors), infinity),
          asking_(rows.cluster.size()) {
        std::iota(asking_.begin(), asking_.end(), std::int64_t{0});
        std::stable_sort(asking_.begin(), asking_.end(), [&](std::int64_t a, std::int64_t b) {
            return cluster_of(a) < cluster_of(b);
        });
        for (const std::int64_t row : asking_)
            if (rows.is_counted[static_cast<std::size_t>(row)] != 0) telling_.push_back(row);
    }

    // In the order of the clusters: what is told at a time is of few of them.
    void run() {
        const std::int64_t most = world_.max(std::ssize(telling_));
        const std::int64_t step = std::max<std::int64_t>(1, told_rows / world_.size());
        Progress progress("nearest in clusters", most, "rows of this rank");
        for (std::int64_t begin = 0; begin < most; begin += step) {
            leave_if_stopped(world_);
            hear(begin, step);
            progress.advance(std::min(step, most - begin));
        }
    }

    double mean(std::int64_t row) {
        const auto own = nearest_of(row);
        std::sort(own.begin(), own.end());
        double sum = 0.0;
        std::size_t count = 0;
        for (; count < own.size() && own[count] < infinity; ++count)
            sum += static_cast<double>(std::sqrt(own[count]));
        return count == 0 ? std::numeric_limits<double>::infinity()
                          : sum / static_cast<double>(count);
    }

  private:
    std::int32_t cluster_of(std::int64_t row) const {
        return rows_.cluster[static_cast<std::size_t>(row)];
    }

    // A heap whose first is the farthest.
    std::span<float> nearest_of(std::int64_t row) {
        return std::span(nearest_).subspan(static_cast<std::size_t>(row * num_neighbors_),
                                           static_cast<std::size_t>(num_neighbors_));
    }

    // Each rank tells its next rows; all look how near these are to their own.
    void hear(std::int64_t begin, std::int64_t count) {
        const std::int64_t dim = rows_.features.dim;
        const std::int64_t from = std::min(begin, std::ssize(telling_));
        const std::int64_t to = std::min(begin + count, std::ssize(telling_));
        std::vector<Told> mine;
        std::vector<float> values;
        for (std::int64_t i = from; i < to; ++i) {
            const std::int64_t row = telling_[static_cast<std::size_t>(i)];
            mine.push_back({cluster_of(row), world_.rank(), row});
            values.insert(values.end(), rows_.features.row(row), rows_.features.row(row) + dim);
        }
        const std::vector<Told> told = world_.all_gather(std::span<const Told>(mine));
        const std::vector<float> all = world_.all_gather(std::span<const float>(values));
        answer(told, {all.data(), std::ssize(told), dim});
    }

    void answer(const std::vector<Told>& told, kernels::MatrixView features) {
        std::vector<Panel> panels;
        const std::vector<Question> questions = questions_about(told, features, panels);
        kernels::parallel_for(num_threads_, std::ssize(questions), [&](std::int64_t task) {
            const Question& question = questions[static_cast<std::size_t>(task)];
            for (std::size_t p = question.first; p < question.last; ++p)
                look_at(told, panels[p], question.rows);
        });
    }

    // The told rows of a cluster in panels, and this rank's rows of it, some at a time.
    std::vector<Question> questions_about(const std::vector<Told>& told,
                                          kernels::MatrixView features,
                                          std::vector<Panel>& panels) const {
        std::vector<std::int64_t> order(told.size());
        std::iota(order.begin(), order.end(), std::int64_t{0});
        const auto cluster = [&](std::int64_t i) {
            return told[static_cast<std::size_t>(i)].cluster;
        };
        std::stable_sort(order.begin(), order.end(),
                         [&](std::int64_t a, std::int64_t b) { return cluster(a) < cluster(b); });
        std::vector<Question> questions;
        for (auto begin = order.begin(); begin != order.end();) {
            const auto end = std::find_if(
                begin, order.end(), [&](std::int64_t i) { return cluster(i) != cluster(*begin); });
            const std::span<const std::int64_t> own = asking_in(cluster(*begin));
            if (!own.empty()) {
                const std::size_t first = panels.size();
                add_panels({begin, end}, features, panels);
                ask(own, first, panels.size(), questions);
            }
            begin = end;
        }
        return questions;
    }

    std::span<const std::int64_t> asking_in(std::int32_t cluster) const {
        const auto begin = std::lower_bound(
            asking_.begin(), asking_.end(), cluster,
            [&](std::int64_t row, std::int32_t wanted) { return cluster_of(row) < wanted; });
        const auto end = std::upper_bound(
            begin, asking_.end(), cluster,
            [&](std::int32_t wanted, std::int64_t row) { return wanted < cluster_of(row); });
        return {begin, end};
    }

    static void add_panels(std::span<const std::int64_t> told, kernels::MatrixView features,
                           std::vector<Panel>& panels) {
        for (std::size_t begin = 0; begin < told.size(); begin += panel_rows) {
            const auto some =
                told.subspan(begin, std::min<std::size_t>(panel_rows, told.size() - begin));
            panels.push_back({{some.begin(), some.end()}, kernels::PackedRows(features, some)});
        }
    }

    static void ask(std::span<const std::int64_t> own, std::size_t first, std::size_t last,
                    std::vector<Question>& questions) {
        for (std::size_t begin = 0; begin < own.size(); begin += rows_at_once) {
            const auto length = std::min<std::size_t>(rows_at_once, own.size() - begin);
            questions.push_back({own.subspan(begin, length), first, last});
        }
    }

    void look_at(const std::vector<Told>& told, const Panel& panel,
                 std::span<const std::int64_t> rows) {
        const std::int64_t dim = rows_.features.dim;
        thread_local std::vector<float> asking;
        thread_local std::vector<float> squared;
        asking.clear();
        for (const std::int64_t row : rows)
            asking.insert(asking.end(), rows_.features.row(row), rows_.features.row(row) + dim);
        squared.resize(static_cast<std::size_t>(rows_at_once * panel_rows));
        panel.rows.distances({asking.data(), std::ssize(rows), dim}, {0, std::ssize(panel.told)},
                             squared.data(), panel_rows);
        for (std::size_t j = 0; j < panel.told.size(); ++j) {  // no row is its own neighbour
            const Told& one = told[static_cast<std::size_t>(panel.told[j])];
            if (one.rank != world_.rank()) continue;
            const auto itself = std::lower_bound(rows.begin(), rows.end(), one.index);
            if (itself == rows.end() || *itself != one.index) continue;
            const auto i = static_cast<std::size_t>(itself - rows.begin());
            squared[i * panel_rows + j] = infinity;
        }
        for (std::size_t i = 0; i < rows.size(); ++i)
            keep_nearest(rows[i], std::span(squared).subspan(i * panel_rows, panel.told.size()));
    }

    void keep_nearest(std::int64_t row, std::span<const float> squared) {
        const std::span<float> nearest = nearest_of(row);
        for (const float one : squared) {
            if (!(one < nearest.front())) continue;
            std::pop_heap(nearest.begin(), nearest.end());
            nearest.back() = one;
            std::push_heap(nearest.begin(), nearest.end());
        }
    }

    const ClusteredRows& rows_;
    std::int64_t num_neighbors_;
    int num_threads_;
    comm::Communicator& world_;
    std::vector<float> nearest_;         // [rows, neighbours] squared
    std::vector<std::int64_t> asking_;   // all rows, by cluster
    std::vector<std::int64_t> telling_;  // the counted ones, by cluster
};

}  // namespace

std::vector<double> mean_neighbor_distances(const ClusteredRows& rows, std::int64_t num_neighbors,
                                            int num_threads, comm::Communicator& world) {
    NeighborSearch search(rows, num_neighbors, num_threads, world);
    search.run();
    std::vector<double> means;
    for (std::int64_t row = 0; row < std::ssize(rows.cluster); ++row)
        means.push_back(search.mean(row));
    return means;
}

std::int64_t neighbor_memory(std::int64_t share_rows, std::int64_t dim,
                             std::int64_t num_neighbors) {
    constexpr auto real = static_cast<std::int64_t>(sizeof(float));
    constexpr auto whole = static_cast<std::int64_t>(sizeof(std::int64_t));
    // Told rows as sent, as heard, on their way and in panels.
    return share_rows * (num_neighbors * real + 4 * whole) +
           told_rows * (4 * dim * real + 3 * static_cast<std::int64_t>(sizeof(Told)) + 3 * whole);
}

}  // namespace sluice::select
