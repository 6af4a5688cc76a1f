#pragma once

#include <string>

namespace sluice {

/// `.sluice-HOST.PROCESS.NONCE.PLACE.tmp`, new on every call: what a file is called until it is
/// complete.
std::string temporary_name();

/// Removes the files of such names that processes which are certainly gone have left in a
/// directory. What cannot be removed stays: it is in nobody's way.
void remove_temporaries(const std::string& directory);

}  // namespace sluice
