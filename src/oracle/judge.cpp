#include "oracle/judge.hpp"
