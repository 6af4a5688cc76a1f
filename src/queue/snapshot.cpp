#include "queue/snapshot.hpp"
