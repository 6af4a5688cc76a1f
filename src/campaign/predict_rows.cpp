#include "campaign/predict_rows.hpp"

#include "core/error.hpp"
#include "core/partition.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/task_threads.hpp"
#include "kernels/score_rows.hpp"
#include "pool/row_reader.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <vector>

namespace sluice::campaign {
namespace {

// One rank's share: workers draw blocks from a counter, read, run the network, and write.
class Stream {
  public:
    Stream(const PredictionPlan& plan, RowRange rows, const PredictionWriter& writer)
        : plan_(plan),
          rows_(rows),
          writer_(writer),
          reader_(*plan.features),
          threads_(num_blocks(rows, plan.block_rows)),
          progress_("predicting", rows.size(), "rows",
                    static_cast<double>(plan.features->row_bytes())) {}

    UnpredictedRows run() {
        threads_.run(plan_.num_threads, [this] { work(); });
        return std::move(unpredicted_);
    }

  private:
    struct Buffers {
        std::vector<float> features;
        std::vector<float> outputs;
        std::vector<float> part;
        pool::RowReader::Scratch scratch;
    };

    RowRange block(std::int64_t index) const {
        return block_of_rows(rows_, plan_.block_rows, index);
    }

    void work() {
        Buffers buffers;
        while (const auto index = threads_.next()) {
            require(!stop_requested(), ExitCode::try_again,
                    stop_text() +
                        " while predicting; nothing was written, run the same "
                        "command again");
            if (*index + plan_.num_threads < threads_.num_tasks())
                reader_.prefetch(block(*index + plan_.num_threads));
            work_on(block(*index), buffers);
        }
    }

    void work_on(RowRange rows, Buffers& buffers) {
        const kernels::CommitteeNetwork& network = *plan_.network;
        const std::int64_t row_outputs = network.members() * network.outputs();
        buffers.features.resize(static_cast<std::size_t>(rows.size() * network.dim()));
        buffers.outputs.resize(static_cast<std::size_t>(rows.size() * row_outputs));
        reader_.read(rows, buffers.features, buffers.scratch);
        network.run(buffers.features.data(), rows.size(), buffers.outputs.data());
        note_unpredicted(rows, buffers);
        writer_.write(rows, buffers.outputs, buffers.part);
        progress_.advance(rows.size());
    }

    void note_unpredicted(RowRange rows, const Buffers& buffers) {
        const auto row_outputs = static_cast<std::ptrdiff_t>(buffers.outputs.size()) / rows.size();
        for (RowId row = rows.begin; row < rows.end; ++row) {
            const auto outputs = buffers.outputs.begin() + (row - rows.begin) * row_outputs;
            if (std::none_of(outputs, outputs + row_outputs, [](float x) { return std::isnan(x); }))
                continue;
            const std::lock_guard lock(mutex_);
            ++unpredicted_.count;
            if (unpredicted_.first >= 0 && unpredicted_.first < row) continue;
            unpredicted_.first = row;
            unpredicted_.reason =
                pool::location_text(*plan_.features, row) + ": " +
                kernels::describe_bad_row({buffers.features.data(), rows, 1, plan_.network->dim(),
                                           kernels::ScoreInput::features},
                                          row);
        }
    }

    const PredictionPlan& plan_;
    RowRange rows_;
    const PredictionWriter& writer_;
    pool::RowReader reader_;
    TaskThreads threads_;  // a task a block
    std::mutex mutex_;     // guards unpredicted_
    Progress progress_;
    UnpredictedRows unpredicted_;
};

}  // namespace

UnpredictedRows predict_rows(const PredictionPlan& plan, RowRange rows,
                             const PredictionWriter& writer) {
    return Stream(plan, rows, writer).run();
}

std::int64_t prediction_memory(const PredictionPlan& plan) {
    const kernels::CommitteeNetwork& network = *plan.network;
    const std::int64_t row_outputs = network.members() * network.outputs();
    // Variances leave through a buffer of their own.
    const std::int64_t floats = network.dim() + 2 * row_outputs;
    const std::int64_t block_bytes =
        plan.block_rows * floats * static_cast<std::int64_t>(sizeof(float)) +
        pool::RowReader(*plan.features).scratch_bytes(plan.block_rows);
    return plan.num_threads * block_bytes;
}

}  // namespace sluice::campaign
