#include "queue/batch_reader.hpp"
