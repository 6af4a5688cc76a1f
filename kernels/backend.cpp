#include "kernels/backend.hpp"
