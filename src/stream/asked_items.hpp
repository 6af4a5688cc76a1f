#pragma once

#include "core/types.hpp"
#include "h5/input_file.hpp"
#include "h5/output_file.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::stream {

struct Observation;

/// Items that were asked for and are in no batch yet, in their order.
struct AskedItems {
    std::vector<RowId> numbers;    ///< of the stream's items, from 0; in a pool their rows
    std::vector<std::string> ids;  ///< [numbers]
    std::vector<double> certainties;
    std::vector<double> features;  ///< [numbers, dim] of lines; a pool's are read when they go out
    std::vector<double> inputs;    ///< [numbers, num_inputs] likewise
    std::int64_t dim = 0;
    std::int64_t num_inputs = 0;

    std::int64_t size() const { return std::ssize(numbers); }

    /// Throws Error(bad_data) for an item with another number of features or inputs than those
    /// before.
    void add(RowId number, const Observation& observation, double certainty);
};

/// Skipped items that stand for all of them: each is among them with the same chance.
struct SkippedSample {
    std::int64_t num_skipped = 0;  ///< so far
    std::vector<RowId> numbers;
    std::vector<std::string> ids;
    std::vector<double> certainties;

    /// Takes the next one, or not; a function of (seed, number) and what was skipped before.
    /// \source Vitter, "Random Sampling with a Reservoir", ACM TOMS 11 (1985), algorithm R.
    void offer(std::uint64_t seed, std::int64_t capacity, RowId number, const std::string& id,
               double certainty);
};

/// In a state's file.
void write_asked(h5::OutputFile& file, const AskedItems& items);
AskedItems read_asked(const h5::InputFile& file);
void write_skipped(h5::OutputFile& file, const SkippedSample& sample);
SkippedSample read_skipped(const h5::InputFile& file);

}  // namespace sluice::stream
