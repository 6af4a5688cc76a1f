#pragma once

#include <string_view>

namespace sluice::report {

/// The style sheet of a report: system fonts, light and dark, phone, desktop and paper. Marks of
/// charts have the classes `active`, `random`, `chosen` and `other`, as lines (`line active`),
/// areas
/// (`fill active`), bands (`band active`) and words (`word active`).
std::string_view page_style();

}  // namespace sluice::report
