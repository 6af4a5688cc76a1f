#include "queue/reap.hpp"
