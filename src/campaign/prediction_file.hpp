#pragma once

#include "comm/communicator.hpp"
#include "core/durable_file.hpp"
#include "core/types.hpp"
#include "kernels/committee_network.hpp"
#include "model/committee.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sluice::campaign {

/// One dataset of a committee's outputs, float32, in row order without gaps.
struct PredictionDataset {
    std::string name;
    std::string kind;                     ///< attribute `kind`: "logit", or empty for none
    std::vector<std::int64_t> row_shape;  ///< [C], [M,C] or [M,T]
    std::int64_t first_output = 0;        ///< of a member's outputs, the first that goes here
    std::int64_t num_outputs = 0;         ///< and how many do
    std::int64_t offset = 0;              ///< file address of row 0

    std::int64_t row_elements() const;
};

/// Where a pool keeps what a committee says: `probabilities` [C] as logits (one classifier),
/// `committee` [M,C] as logits, or `predictions` [M,T], with `variances` [M,T] where it has them.
std::vector<PredictionDataset> prediction_datasets(const kernels::CommitteeNetwork& network);

/// Names a committee's outputs and where they came from.
struct PredictionSource {
    std::string model_hash;
    std::string pool_fingerprint;
    std::vector<std::string> target_names;  ///< [T], or empty
    std::vector<std::string> target_units;  ///< [T], or empty
};

/// Creates the file `path` on rank 0, a pool of `num_rows` rows with these datasets and no values
/// yet, and fills in their offsets on all ranks. Throws AgreedError. \collective
void create_prediction_file(const std::string& path, RowId num_rows, const PredictionSource& source,
                            std::vector<PredictionDataset>& datasets, comm::Communicator& world);

/// Writes rows of a file that create_prediction_file has made, straight at their addresses. Any
/// number of threads and of processes may write at once.
class PredictionWriter {
  public:
    /// Keeps a reference to `datasets`. Throws Error(io_error).
    PredictionWriter(const std::string& path, const std::vector<PredictionDataset>& datasets);

    /// `outputs` [rows, M, outputs of a member] of the network. `scratch` is the thread's own.
    void write(RowRange rows, std::span<const float> outputs, std::vector<float>& scratch) const;

    /// Syncs and closes, reporting what the destructor would hide.
    void close();

  private:
    std::string path_;
    const std::vector<PredictionDataset>& datasets_;
    std::int64_t member_outputs_ = 0;
    FileDescriptor file_;
};

}  // namespace sluice::campaign
