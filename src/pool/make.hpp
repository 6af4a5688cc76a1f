#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "pool/dataset.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::pool {

/// One kind of made pool; the registry behind `sluice pool make KIND` and its help.
struct PoolKind {
    std::string name;
    std::string summary;
};
const std::vector<PoolKind>& pool_kinds();

struct MakeOptions {
    std::string kind;
    std::string path;  ///< output file
    RowId num_rows = 0;
    std::uint64_t seed = 0;
    std::optional<std::int64_t> dim;      ///< D of `features`; 0 = none; unset = as the kind has it
    std::optional<std::int64_t> classes;  ///< C of `probabilities`; 0 = none; unset = likewise
    std::int64_t members = 0;             ///< M of `committee` [N,M,C]; 0 = none
    std::int64_t outputs = 0;             ///< T of `predictions` [N,M,T]; 0 = none
    bool logits = false;                  ///< store logits (attribute kind = "logit")
    ElementType type = ElementType::float32;  ///< float16, float32 or float64
    std::int64_t chunk_rows = 0;              ///< 0 = contiguous
    int deflate_level = 0;  ///< 1..9: shuffle + deflate + fletcher32; needs chunks
};

/// The options with what the kind decides filled in: 64 features and 10 classes, or for kinds with
/// `inputs` their own features and no classes. Throws Error(usage) for a kind that does not exist,
/// and for another number of features than the kind has.
MakeOptions completed(MakeOptions options);

/// Writes a made pool. Row r's values depend on (kind, seed, r, dim, ...) alone, so the content is
/// the same for any number of ranks. Ranks generate and write their share of the rows; the file
/// appears under its name only when complete (temporary name, fsync, rename).
/// Throws Error(usage) for impossible options, Error(cannot_create|io_error) for the file.
/// \collective
void make_pool(const MakeOptions& asked, comm::Communicator& world);

}  // namespace sluice::pool
