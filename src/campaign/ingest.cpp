#include "campaign/ingest.hpp"
