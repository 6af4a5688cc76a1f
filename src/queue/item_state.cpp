#include "queue/item_state.hpp"
