#pragma once

#include "model/committee.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace sluice::model {

/// Reads a model file (layout: README, "Models"). Throws Error(no_input|bad_data) naming file and
/// dataset for whatever is missing, of another shape than the layers before it, or not finite.
Committee read_model(const std::string& path);

/// The bytes of a model file: a function of the committee alone, no time or place in it.
std::vector<std::byte> model_image(const Committee& committee);

/// Publishes a model file durably, replacing one of that name.
void publish_model(const std::string& path, const Committee& committee);

/// SHA-256 over all that decides what the committee computes: tasks, shapes, weights,
/// normalisation, temperature, dropout, loss head. Not over history or provenance.
std::string model_hash(const Committee& committee);

}  // namespace sluice::model
