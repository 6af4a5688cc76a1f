#include "queue/result_file.hpp"
