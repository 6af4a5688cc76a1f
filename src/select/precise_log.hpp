#pragma once

namespace sluice::select {

/// Natural logarithm of a positive normal float64, within 2 units in the last place, in operations
/// that round alike everywhere (the system's libm does not promise that).
double precise_log(double x);

/// -ln(1 - x) for 0 <= x < 1, accurate however small x is; the same everywhere.
double minus_log_of_rest(double x);

}  // namespace sluice::select
