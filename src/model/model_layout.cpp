#include "model/model_layout.hpp"

#include <algorithm>

namespace sluice::model::layout {
namespace {

std::string digits(std::size_t number, std::size_t width) {
    const std::string text = std::to_string(number);
    return std::string(width - std::min(width, text.size()), '0') + text;
}

}  // namespace

std::string member_folder(std::size_t network) {
    return "members/" + digits(network, 4);
}

std::string layer_folder(std::size_t network, std::size_t layer) {
    return member_folder(network) + "/layers/" + digits(layer, 2);
}

std::string history_folder(std::size_t network) {
    return "history/" + digits(network, 4);
}

}  // namespace sluice::model::layout
