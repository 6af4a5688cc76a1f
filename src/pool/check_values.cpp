#include "pool/check_values.hpp"

#include "core/error.hpp"
#include "core/partition.hpp"
#include "core/progress.hpp"
#include "pool/row_reader.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

namespace sluice::pool {
namespace {

// Stored bytes read at once: large enough for full speed, small enough for the core's own cache.
constexpr std::int64_t read_bytes = std::int64_t{1} << 20;
// Values looked at together: one bad row makes only its piece slow.
constexpr std::int64_t piece_elements = 4096;

// One dataset to scan, and this rank's blocks of it.
struct Task {
    const Dataset* dataset;
    RowRule rule;
    RowReader reader;
    std::int64_t block_rows;
    RowRange mine;

    std::int64_t num_blocks() const { return (mine.size() + block_rows - 1) / block_rows; }
};

// A thread's own memory and results.
struct Worker {
    RowReader::Scratch scratch;
    std::vector<float> values;
    std::vector<double> row;
    std::vector<Tallies> tallies;
};

// The first row after `row` that is not in its chunk; the next row where there are no chunks.
RowId end_of_chunk(const Dataset& dataset, RowId row) {
    for (const FilePart& part : dataset.parts) {
        if (row >= part.rows.end || part.layout != Layout::chunked) continue;
        const RowId local = row - part.rows.begin;
        const RowId end = (local / part.chunk_rows + 1) * part.chunk_rows;
        return std::min(part.rows.end, part.rows.begin + end);
    }
    return row + 1;
}

void book(Tallies& tallies, Problem problem, RowId row, std::int64_t rows = 1) {
    tallies[static_cast<std::size_t>(problem)].add(row, rows);
}

// Judges rows one by one in float64, from values that float32 holds.
void judge_rows(const Task& task, RowRange rows, std::span<const float> values, Worker& worker,
                Tallies& tallies) {
    const auto width = static_cast<std::size_t>(task.dataset->row_elements());
    worker.row.resize(width);
    for (RowId row = rows.begin; row < rows.end; ++row) {
        const float* const first =
            values.data() + static_cast<std::size_t>(row - rows.begin) * width;
        std::copy_n(first, width, worker.row.begin());
        if (const auto found = judge_row(task.rule, worker.row)) book(tallies, found->problem, row);
    }
}

// The slow way, for blocks that cannot be read as float32: row by row as float64. Rows whose chunk
// is damaged are passed over a chunk at a time.
void judge_hard_block(const Task& task, RowRange rows, Worker& worker, Tallies& tallies) {
    worker.row.resize(static_cast<std::size_t>(task.dataset->row_elements()));
    for (RowId row = rows.begin; row < rows.end; ++row) {
        try {
            task.reader.gather_doubles(std::span(&row, 1), worker.row, worker.scratch);
        } catch (const Error& error) {
            if (error.code() != ExitCode::bad_data) throw;
            const RowRange lost = {row, std::min(rows.end, end_of_chunk(*task.dataset, row))};
            book(tallies, Problem::unreadable, row, lost.size());
            row = lost.end - 1;
            continue;
        }
        if (const auto found = judge_row(task.rule, worker.row)) book(tallies, found->problem, row);
    }
}

void scan_block(const Task& task, RowRange rows, Worker& worker, Tallies& tallies) {
    const std::int64_t width = task.dataset->row_elements();
    const auto size = static_cast<std::size_t>(rows.size() * width);
    if (worker.values.size() < size + padding_elements) {
        worker.values.resize(size + padding_elements);
    }
    const std::span<float> values = std::span(worker.values).first(size);
    try {
        task.reader.read(rows, values, worker.scratch);
    } catch (const Error& error) {
        if (error.code() != ExitCode::bad_data) throw;
        judge_hard_block(task, rows, worker, tallies);
        return;
    }
    const std::int64_t piece_rows = std::max<std::int64_t>(8, piece_elements / width);
    for (RowId row = rows.begin; row < rows.end; row += piece_rows) {
        const RowRange piece = {row, std::min(rows.end, row + piece_rows)};
        const std::span<const float> part =
            values.subspan(static_cast<std::size_t>((row - rows.begin) * width),
                           static_cast<std::size_t>(piece.size() * width));
        if (!rows_look_clean(task.rule, part, width)) {
            judge_rows(task, piece, part, worker, tallies);
        }
    }
}

// Takes blocks of all tasks from one counter until none is left.
void work(const std::vector<Task>& tasks, std::atomic<std::int64_t>& next, Worker& worker,
          Progress& progress) {
    std::size_t index = 0;
    std::int64_t blocks_before = 0;
    for (;;) {
        const std::int64_t block = next.fetch_add(1);
        while (index < tasks.size() && block - blocks_before >= tasks[index].num_blocks()) {
            blocks_before += tasks[index++].num_blocks();
        }
        if (index == tasks.size()) return;
        const Task& task = tasks[index];
        const RowId begin = task.mine.begin + (block - blocks_before) * task.block_rows;
        const RowRange rows = {begin, std::min(task.mine.end, begin + task.block_rows)};
        scan_block(task, rows, worker, worker.tallies[index]);
        progress.advance(rows.size() * task.dataset->row_bytes());
    }
}

void run_threads(const std::vector<Task>& tasks, std::vector<Worker>& workers, Progress& progress) {
    std::atomic<std::int64_t> next{0};
    std::mutex mutex;
    std::exception_ptr failure;
    std::vector<std::thread> threads;
    for (Worker& worker : workers) {
        threads.emplace_back([&] {
            try {
                work(tasks, next, worker, progress);
            } catch (...) {
                const std::lock_guard lock(mutex);
                if (!failure) failure = std::current_exception();
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    if (failure) std::rethrow_exception(failure);
}

std::vector<Task> tasks_of(const Pool& pool, const comm::Communicator& world) {
    std::vector<Task> tasks;
    for (const auto& [role, dataset] : pool.datasets) {
        const auto rule = row_rule_of(dataset);
        if (!rule) continue;
        RowReader reader(dataset);
        const std::int64_t block_rows = std::max<std::int64_t>(1, reader.block_rows(read_bytes));
        const RowRange mine =
            part_of_rows(dataset.num_rows, world.rank(), world.size(), block_rows);
        tasks.push_back({&dataset, *rule, std::move(reader), block_rows, mine});
    }
    return tasks;
}

// Sums the counts and takes the lowest rows over all ranks.
void combine(std::vector<Tallies>& all, comm::Communicator& world) {
    std::vector<std::int64_t> counts;
    std::vector<std::int64_t> negated_rows;  // so that their largest is the lowest row
    for (const Tallies& tallies : all) {
        for (const Tally& tally : tallies) {
            counts.push_back(tally.count);
            negated_rows.push_back(-tally.first);
        }
    }
    world.sum(counts);
    world.max(negated_rows);
    for (std::size_t i = 0; i < counts.size(); ++i) {
        all[i / num_problems][i % num_problems] = {counts[i], -negated_rows[i]};
    }
}

}  // namespace

void Tally::add(RowId row, std::int64_t rows) {
    count += rows;
    first = std::min(first, row);
}

void Tally::merge(const Tally& other) {
    count += other.count;
    first = std::min(first, other.first);
}

std::optional<RowRule> row_rule_of(const Dataset& dataset) {
    const std::string& role = dataset.role;
    if (role == "ids" || role == "groups") return std::nullopt;
    if (dataset.type == ElementType::text) return std::nullopt;
    if (role == "features") return RowRule{RowRule::Kind::features, 1};
    if ((role == "probabilities" || role == "committee") && !dataset.is_logit()) {
        return RowRule{RowRule::Kind::distributions, dataset.row_shape.back()};
    }
    return RowRule{RowRule::Kind::finite, 1};
}

std::vector<Tallies> scan_values(const Pool& pool, int num_threads, comm::Communicator& world) {
    std::vector<Task> tasks;
    std::vector<Worker> workers(static_cast<std::size_t>(std::max(1, num_threads)));
    world.agree([&] {
        tasks = tasks_of(pool, world);
        std::int64_t bytes = 0;
        for (const Task& task : tasks)
            bytes += task.mine.size() * task.dataset->row_bytes();
        for (Worker& worker : workers)
            worker.tallies.resize(tasks.size());
        Progress progress("check", bytes, "bytes", 1.0);
        run_threads(tasks, workers, progress);
    });
    std::vector<Tallies> by_task(tasks.size());
    for (const Worker& worker : workers) {
        for (std::size_t t = 0; t < tasks.size(); ++t) {
            for (std::size_t p = 0; p < num_problems; ++p)
                by_task[t][p].merge(worker.tallies[t][p]);
        }
    }
    combine(by_task, world);
    std::vector<Tallies> by_dataset;
    std::size_t next = 0;
    for (const auto& [role, dataset] : pool.datasets) {
        by_dataset.push_back(row_rule_of(dataset) ? by_task[next++] : Tallies{});
    }
    return by_dataset;
}

}  // namespace sluice::pool
