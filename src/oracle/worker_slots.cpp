#include "oracle/worker.hpp"
