#include "oracle/text_rules.hpp"
