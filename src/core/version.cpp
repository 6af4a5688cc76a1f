#include "core/version.hpp"

namespace sluice {

std::string version_text() {
    const std::string commit = SLUICE_COMMIT;
    return commit.empty() ? SLUICE_VERSION : SLUICE_VERSION "+" + commit;
}

}  // namespace sluice
