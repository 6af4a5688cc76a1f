#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::report {

/// The lines of a CSV text, its header included, each as its fields: fields in double quotes may
/// hold commas, line ends and doubled quotes. The line that a half-written file breaks off in is
/// left out.
/// \source RFC 4180, section 2.
std::vector<std::vector<std::string>> csv_lines(std::string_view text);

}  // namespace sluice::report
