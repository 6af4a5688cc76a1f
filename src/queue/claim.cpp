#include "queue/claim.hpp"
