#include "core/process_place.hpp"
