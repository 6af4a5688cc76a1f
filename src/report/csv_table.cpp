#include "report/csv_table.hpp"

#include <utility>

namespace sluice::report {

std::vector<std::vector<std::string>> csv_lines(std::string_view text) {
    std::vector<std::vector<std::string>> lines;
    std::vector<std::string> fields(1);
    bool inside = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char letter = text[i];
        if (letter == '"') {
            const bool is_doubled = inside && i + 1 < text.size() && text[i + 1] == '"';
            if (is_doubled) {
                fields.back() += letter;
                ++i;
            } else {
                inside = !inside;
            }
        } else if (letter == ',' && !inside) {
            fields.emplace_back();
        } else if (letter == '\n' && !inside) {
            lines.push_back(std::exchange(fields, std::vector<std::string>(1)));
        } else {
            fields.back() += letter;
        }
    }
    return lines;
}

}  // namespace sluice::report
