#pragma once

#include "campaign/select_round.hpp"
#include "comm/communicator.hpp"

#include <cstdint>
#include <string>

namespace sluice::campaign {

/// What `sluice synthesize` was asked for.
struct SynthesisRequest {
    std::string ranges_path;  ///< CSV, or a pool whose inputs declare ranges; empty: those of the
                              ///< features of the pool to snap to
    std::string out_path;     ///< the pool file of all ends
    std::int64_t num_starts = 0;  ///< >= 1
    std::int64_t most_steps = 0;  ///< of one climb, >= 1
    double apart = 0.01;    ///< of ends this near, in shares of the ranges, only the best stays
    std::string json_path;  ///< may be empty
    /// What rows the batch is of: of the ends, as a pool of their own or behind the rows of
    /// `select.pool`, or of the rows of `select.pool` nearest to the ends.
    enum class Rows { own_pool, behind_pool, nearest } rows = Rows::own_pool;
    /// How the batch is chosen and where it goes; `plan` also holds model, score, seed, round and
    /// device. Without queue and selected path no batch is chosen.
    SelectRequest select;
};

/// What came of it; the same on all ranks.
struct SynthesisResult {
    std::int64_t dim = 0;
    std::int64_t num_ends = 0;      ///< where the model says something finite
    std::int64_t num_capped = 0;    ///< climbs that took all steps they may
    std::int64_t num_on_faces = 0;  ///< ends that touch the box
    std::int64_t num_rows = 0;      ///< ends that are apart: the rows of the file
    std::int64_t median_steps = 0;
    float start_median = 0.0F;  ///< of scores
    float start_highest = 0.0F;
    float end_median = 0.0F;
    float end_highest = 0.0F;
    double seconds = 0.0;  ///< of the climbs
    std::string model_hash;
    SelectResult batch;  ///< empty id: none was asked for
};

/// Proposes inputs that a committee's score is high for: climbs from many starts inside the
/// declared ranges, writes the ends as a pool file, and chooses a batch of them or of the rows of a
/// pool that are nearest to them. The same bytes for any number of ranks and threads, CPU or GPU;
/// run again after an interruption it finds what was written. Prints the reports on rank 0's
/// stdout. Throws Error with the exit codes of the README. \collective
SynthesisResult synthesize(const SynthesisRequest& request, comm::Communicator& world);

/// The report for people.
std::string synthesis_text(const SynthesisRequest& request, const SynthesisResult& result);

/// The report for programs (--json).
std::string synthesis_json(const SynthesisRequest& request, const SynthesisResult& result);

}  // namespace sluice::campaign
