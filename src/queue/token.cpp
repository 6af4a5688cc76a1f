#include "queue/token.hpp"
