#include "campaign/arm.hpp"

#include <fmt/format.h>

namespace sluice::campaign {

std::string Arm::model(std::int64_t round) const {
    return fmt::format("{}/models/{:04}.h5", directory, round);
}

std::string Arm::predictions(std::int64_t round) const {
    return fmt::format("{}/models/{:04}.predictions.h5", directory, round);
}

std::string Arm::pseudo_labels(std::int64_t round) const {
    return fmt::format("{}/pseudo/{:04}.h5", directory, round);
}

std::string Arm::round_directory(std::int64_t round) const {
    return fmt::format("{}/rounds/{:04}", directory, round);
}

std::string Arm::file(std::int64_t round, const std::string& file_name) const {
    return round_directory(round) + "/" + file_name;
}

}  // namespace sluice::campaign
