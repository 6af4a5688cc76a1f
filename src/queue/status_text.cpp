#include "queue/status.hpp"
