#pragma once

#include "campaign/json_node.hpp"

#include <initializer_list>
#include <string>

/// What the strategies of a LightlyOne selection have in common; all of it throws Error(bad_config)
/// naming the key.
namespace sluice::campaign {

/// Throws for an input of a type that there is not, or with a key that its type has not.
void allow_input(const JsonNode& input, const std::string& from);

/// Throws unless the input is of one of these types.
void need_input(const JsonNode& input, const JsonNode& strategy,
                std::initializer_list<const char*> types);

/// The strategy's strength: 1 unless given, never 0.
double strength_of(const JsonNode& strategy);

/// The same for strategies that have no opposite: > 0.
double positive_strength_of(const JsonNode& strategy);

/// The pool's column that the input's `key` names, as scores and conditions call it.
std::string column_of(const JsonNode& input, const std::string& key);

}  // namespace sluice::campaign
