#include "oracle/process.hpp"
