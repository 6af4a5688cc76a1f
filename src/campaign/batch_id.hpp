#pragma once

#include "campaign/select_round.hpp"
#include "select/plan.hpp"

#include <cstddef>
#include <string>

namespace sluice::campaign {

/// Hex digits of a batch id, and of hashes shown to people.
inline constexpr std::size_t batch_id_digits = 16;

/// Hash of everything that decides which rows are chosen, except the rows issued so far: so that
/// the same command finds its own batch. `taken.centers` are the labeled rows, `model` the model's
/// hash (empty without one).
std::string batch_id(const SelectRequest& request, const std::string& pool_fingerprint,
                     const select::TakenRows& taken, const std::string& model);

}  // namespace sluice::campaign
