#include "queue/exchange.hpp"
