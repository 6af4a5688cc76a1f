#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

/// Names in a model file, for the writer and the reader.
namespace sluice::model::layout {

inline const std::string format = "sluice-model";
inline constexpr std::int64_t format_version = 1;
inline const std::string target_names = "target/names";
inline const std::string target_units = "target/units";
inline const std::string calibration = "calibration";
inline const std::string provenance = "provenance";
inline const std::string loss_head = "loss_head/";  ///< before the names of a loss head's parts

/// `members/0000`.
std::string member_folder(std::size_t network);

/// `members/0000/layers/00`.
std::string layer_folder(std::size_t network, std::size_t layer);

/// `history/0000`.
std::string history_folder(std::size_t network);

}  // namespace sluice::model::layout
