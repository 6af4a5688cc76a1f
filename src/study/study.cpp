#include "study/study.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/phase.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "study/study_report.hpp"

#include <algorithm>
#include <cstdio>
#include <span>
#include <string>
#include <type_traits>

namespace sluice::study {
namespace {

// A point of the run number `task`, as it travels to rank 0.
struct TaskPoint {
    std::int64_t task = 0;
    RunPoint point;
};
static_assert(std::is_trivially_copyable_v<TaskPoint>);

void check_stop() {
    require(!stop_requested(), ExitCode::try_again,
            stop_text() + "; nothing was written, run the same command again");
}

// The runs of a study in one order: data sets, arms, seeds. The arm after the last strategy is the
// one that labels everything.
class Tasks {
  public:
    explicit Tasks(const StudyRequest& request) : request_(request) {
        arms_.push_back(random_strategy());
        arms_.insert(arms_.end(), request.strategies.begin(), request.strategies.end());
    }

    const std::vector<Strategy>& arms() const { return arms_; }
    std::int64_t size() const {
        return static_cast<std::int64_t>(request_.data.size()) * num_arms() * request_.num_seeds;
    }
    std::int64_t number(std::size_t data, std::size_t arm, std::int64_t seed) const {
        return (static_cast<std::int64_t>(data) * num_arms() + static_cast<std::int64_t>(arm)) *
                   request_.num_seeds +
               seed;
    }

    std::vector<RunPoint> run(std::int64_t number, const std::vector<StudyData>& data,
                              Progress& progress) const {
        const auto seed =
            request_.first_seed + static_cast<std::uint64_t>(number % request_.num_seeds);
        const std::int64_t place = number / request_.num_seeds;
        const StudyData& set = data[static_cast<std::size_t>(place / num_arms())];
        const auto arm = static_cast<std::size_t>(place % num_arms());
        const std::string name = arm < arms_.size() ? arms_[arm].name : all_labels_name;
        try {
            if (arm == arms_.size()) {
                check_stop();
                progress.advance(1);
                return {simulate_all_labels(set, request_.rules, seed)};
            }
            return simulate_run(set, arms_[arm], request_.rules, seed, [&] {
                check_stop();
                progress.advance(1);
            });
        } catch (const Error& error) {
            if (error.code() == ExitCode::try_again) throw;
            throw Error(error.code(), set.pool.name + ", strategy " + name + ", seed " +
                                          std::to_string(seed) + ": " + error.what());
        }
    }

    // Rounds of the runs that this rank does, for its progress.
    std::int64_t rounds_of_rank(int rank, int num_ranks) const {
        std::int64_t rounds = 0;
        for (std::int64_t task = rank; task < size(); task += num_ranks) {
            const auto arm = static_cast<std::size_t>(task / request_.num_seeds % num_arms());
            rounds += arm == arms_.size() ? 1 : request_.rules.rounds + 1;
        }
        return rounds;
    }

  private:
    std::int64_t num_arms() const {
        const bool all = request_.all_labels == StudyRequest::AllLabels::run;
        return static_cast<std::int64_t>(arms_.size()) + (all ? 1 : 0);
    }

    const StudyRequest& request_;
    std::vector<Strategy> arms_;
};

std::vector<TaskPoint> run_my_tasks(const Tasks& tasks, const std::vector<StudyData>& data,
                                    const comm::Communicator& world) {
    std::vector<TaskPoint> points;
    Progress progress("simulating", tasks.rounds_of_rank(world.rank(), world.size()), "rounds");
    for (std::int64_t task = world.rank(); task < tasks.size(); task += world.size()) {
        for (const RunPoint& point : tasks.run(task, data, progress))
            points.push_back({task, point});
    }
    return points;
}

std::vector<RunPoint> points_of(const std::vector<TaskPoint>& sorted, std::int64_t task) {
    std::vector<RunPoint> points;
    const auto first = std::lower_bound(
        sorted.begin(), sorted.end(), task,
        [](const TaskPoint& left, std::int64_t number) { return left.task < number; });
    for (auto place = first; place != sorted.end() && place->task == task; ++place)
        points.push_back(place->point);
    return points;
}

DataResult facts_of(const StudyData& data, const StudyRequest& request) {
    DataResult result;
    result.name = data.pool.name;
    result.task = data.pool.task;
    result.rows = data.pool.size();
    result.dim = data.pool.dim;
    result.outputs = data.pool.outputs;
    if (data.pool.target_units.size() == 1) result.unit = data.pool.target_units.front();
    result.test_rows = static_cast<std::int64_t>(
        split_items(data.pool, request.rules.split, request.first_seed, data.labels).test.size());
    return result;
}

std::vector<DataResult> sort_out(std::vector<TaskPoint> points, const Tasks& tasks,
                                 const std::vector<StudyData>& data, const StudyRequest& request) {
    std::stable_sort(
        points.begin(), points.end(),
        [](const TaskPoint& left, const TaskPoint& right) { return left.task < right.task; });
    std::vector<DataResult> results;
    for (std::size_t d = 0; d < data.size(); ++d) {
        DataResult result = facts_of(data[d], request);
        for (std::size_t arm = 0; arm < tasks.arms().size(); ++arm) {
            result.arms.push_back({tasks.arms()[arm].name, {}});
            for (std::int64_t seed = 0; seed < request.num_seeds; ++seed)
                result.arms.back().runs.push_back(points_of(points, tasks.number(d, arm, seed)));
        }
        if (request.all_labels == StudyRequest::AllLabels::run) {
            for (std::int64_t seed = 0; seed < request.num_seeds; ++seed) {
                const std::int64_t task = tasks.number(d, tasks.arms().size(), seed);
                result.all_labels.push_back(points_of(points, task).front());
            }
        }
        results.push_back(std::move(result));
    }
    return results;
}

}  // namespace

std::vector<DataResult> run_study(const StudyRequest& request, comm::Communicator& world) {
    enter_phase("read data");
    std::vector<StudyData> data;
    for (const StudySource& source : request.data)
        data.push_back(read_study_data(source, request.reading, world));
    enter_phase("simulate");
    const Tasks tasks(request);
    std::vector<TaskPoint> mine;
    world.agree([&] { mine = run_my_tasks(tasks, data, world); });
    std::vector<TaskPoint> all = world.gather(std::span<const TaskPoint>(mine));
    if (!world.is_root()) return {};
    return sort_out(std::move(all), tasks, data, request);
}

void simulate(const StudyRequest& request, comm::Communicator& world) {
    world.agree([&] {
        if (world.is_root()) make_directories(request.out);
    });
    const std::vector<DataResult> results = run_study(request, world);
    enter_phase("report");
    world.agree([&] {
        if (!world.is_root()) return;
        const std::string text = write_study_report(request, results);
        const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
        require(written && std::fflush(stdout) == 0, ExitCode::io_error,
                "stdout: cannot write the report (closed pipe or full disk); the files in " +
                    request.out + " are complete");
    });
    enter_phase("done");
}

}  // namespace sluice::study
