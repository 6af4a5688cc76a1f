#pragma once

#include "select/climb.hpp"
#include "select/input_box.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sluice::campaign {

/// Whether synthesized rows make a pool of their own, or stand behind those of a pool that holds
/// features and inputs: then they have no ids, and what would be columns stands in `synthesis/`.
enum class SynthesisLayout { own_pool, behind_pool };

/// Where synthesized rows come from, and how they are written.
struct SynthesisSource {
    const select::InputBox* box = nullptr;
    std::string score;  ///< canonical name
    std::string model_hash;
    std::uint64_t seed = 0;
    std::uint32_t round = 1;
    SynthesisLayout layout = SynthesisLayout::own_pool;
};

/// What users call the row that start `start` led to, as in `synthetic-s7-r1-000123`: the same for
/// the same seed, round and start.
std::string synthetic_id(const SynthesisSource& source, std::int64_t start);

/// The bytes of a pool file of the ends of climbs from these starts, in this order: `features` and
/// `inputs` [N,D] with names, units and ranges, `ids`, and the columns `score`, `start_score` (NaN
/// where the model says nothing finite) and `start`. A function of its arguments alone.
std::vector<std::byte> synthetic_pool_image(const SynthesisSource& source,
                                            const select::Climbs& climbs,
                                            const std::vector<std::int64_t>& starts);

/// Publishes a file of these bytes durably. One that holds them already is left alone; throws
/// Error(cannot_create) if the name is taken by another.
void publish_new_file(const std::string& path, const std::vector<std::byte>& bytes);

}  // namespace sluice::campaign
