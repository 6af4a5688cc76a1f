#include "labels/repeated_labels.hpp"

#include "core/text.hpp"

namespace sluice::labels {

void RepeatedLabels::count(Kind& kind, RowId row, const std::string& file) {
    if (kind.count++ > 0) return;
    kind.first_row = row;
    kind.first_file = file;
}

std::string RepeatedLabels::text_of(const Kind& kind) {
    return count_text(kind.count) + (kind.count == 1 ? " label" : " labels") + " (first row " +
           std::to_string(kind.first_row) + " in " + kind.first_file + ")";
}

std::string RepeatedLabels::text() const {
    if (same_.count + other_.count == 0) return {};
    std::string text = "the first label of a row counts: passed over ";
    if (other_.count > 0)
        text +=
            text_of(other_) + " that " + (other_.count == 1 ? "says" : "say") + " something else";
    if (other_.count > 0 && same_.count > 0) text += " and ";
    if (same_.count > 0)
        text += text_of(same_) + " that " + (same_.count == 1 ? "says" : "say") + " the same";
    return text;
}

}  // namespace sluice::labels
