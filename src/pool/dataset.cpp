#include "pool/dataset.hpp"

#include "core/text.hpp"

#include <algorithm>

namespace sluice::pool {

std::int64_t element_bytes(ElementType type) {
    switch (type) {
        case ElementType::int8:
        case ElementType::uint8:
            return 1;
        case ElementType::float16:
        case ElementType::int16:
        case ElementType::uint16:
            return 2;
        case ElementType::float32:
        case ElementType::int32:
        case ElementType::uint32:
            return 4;
        case ElementType::float64:
        case ElementType::int64:
        case ElementType::uint64:
            return 8;
        case ElementType::text:
            return 0;
    }
    return 0;
}

std::string element_name(ElementType type) {
    switch (type) {
        case ElementType::float16:
            return "float16";
        case ElementType::float32:
            return "float32";
        case ElementType::float64:
            return "float64";
        case ElementType::int8:
            return "int8";
        case ElementType::int16:
            return "int16";
        case ElementType::int32:
            return "int32";
        case ElementType::int64:
            return "int64";
        case ElementType::uint8:
            return "uint8";
        case ElementType::uint16:
            return "uint16";
        case ElementType::uint32:
            return "uint32";
        case ElementType::uint64:
            return "uint64";
        case ElementType::text:
            return "text";
    }
    return "unknown";
}

std::int64_t Dataset::row_elements() const {
    std::int64_t elements = 1;
    for (const std::int64_t extent : row_shape)
        elements *= extent;
    return elements;
}

std::int64_t Dataset::row_bytes() const {
    const std::int64_t element = type == ElementType::text ? text_bytes : element_bytes(type);
    return element * row_elements();
}

bool Dataset::is_logit() const {
    const auto kind = attributes.find("kind");
    return kind != attributes.end() && !kind->second.empty() && kind->second[0] == "logit";
}

std::string location_text(const Dataset& dataset, RowId row) {
    for (const FilePart& part : dataset.parts) {
        if (row < part.rows.begin || row >= part.rows.end) continue;
        return part.path + ": " + printable(dataset.path) + "[" +
               std::to_string(row - part.rows.begin) + "]";
    }
    return printable(dataset.path) + "[" + std::to_string(row) + "]";
}

}  // namespace sluice::pool
