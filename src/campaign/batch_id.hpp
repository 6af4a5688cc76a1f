#pragma once

#include "campaign/select_round.hpp"
#include "select/plan.hpp"

#include <cstddef>
#include <string>

namespace sluice::campaign {

/// Hex digits of a batch id, and of hashes shown to people.
inline constexpr std::size_t batch_id_digits = 16;

/// Hashes of the contents that a selection goes by.
struct ScienceHashes {
    std::string pool;         ///< fingerprint
    std::string model;        ///< empty without one
    std::string predictions;  ///< fingerprint of a file of them; empty without one
    std::string similar;      ///< of the vectors that rows are to be like; empty without any
};

/// Hash of everything that decides which rows are chosen, except the rows issued so far: so that
/// the same command finds its own batch. `taken.centers` are the labeled rows.
std::string batch_id(const SelectRequest& request, const ScienceHashes& hashes,
                     const select::TakenRows& taken);

}  // namespace sluice::campaign
