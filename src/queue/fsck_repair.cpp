#include "queue/fsck.hpp"
