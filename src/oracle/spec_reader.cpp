#include "oracle/spec.hpp"
