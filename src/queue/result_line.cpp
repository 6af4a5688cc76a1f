#include "queue/result_line.hpp"
