#include "h5/type_info.hpp"

#include "h5/calls.hpp"

namespace sluice::h5 {
namespace {

std::string class_name(H5T_class_t type_class) {
    switch (type_class) {
        case H5T_TIME:
            return "time";
        case H5T_BITFIELD:
            return "bit field";
        case H5T_OPAQUE:
            return "opaque";
        case H5T_COMPOUND:
            return "compound";
        case H5T_REFERENCE:
            return "reference";
        case H5T_ENUM:
            return "enumeration (bool in h5py)";
        case H5T_VLEN:
            return "variable-length list";
        case H5T_ARRAY:
            return "array";
        default:
            return "unknown";
    }
}

struct FloatFields {
    std::size_t sign = 0, exponent = 0, exponent_bits = 0, mantissa = 0, mantissa_bits = 0;
    friend bool operator==(const FloatFields&, const FloatFields&) = default;
};

bool is_ieee(hid_t type, std::size_t bytes, const std::string& where) {
    FloatFields found;
    check(H5Tget_fields(type, &found.sign, &found.exponent, &found.exponent_bits, &found.mantissa,
                        &found.mantissa_bits),
          where);
    const std::size_t bias = H5Tget_ebias(type);
    if (H5Tget_norm(type) != H5T_NORM_IMPLIED) return false;
    if (bytes == 2) return found == FloatFields{15, 10, 5, 0, 10} && bias == 15;
    if (bytes == 4) return found == FloatFields{31, 23, 8, 0, 23} && bias == 127;
    if (bytes == 8) return found == FloatFields{63, 52, 11, 0, 52} && bias == 1023;
    return false;
}

}  // namespace

TypeInfo describe_type(const Handle& type, const std::string& where) {
    const hid_t id = type.get();
    const H5T_class_t type_class = check(H5Tget_class(id), where);
    TypeInfo info;
    info.bytes = static_cast<std::int64_t>(H5Tget_size(id));
    if (type_class == H5T_STRING) {
        info.kind = TypeInfo::Kind::text;
        info.is_variable = check(H5Tis_variable_str(id), where) > 0;
        info.space_padded = H5Tget_strpad(id) == H5T_STR_SPACEPAD;
        info.is_standard = true;
        info.name = "text";
        return info;
    }
    if (type_class != H5T_INTEGER && type_class != H5T_FLOAT) {
        info.name = class_name(type_class);
        return info;
    }
    const H5T_order_t order = H5Tget_order(id);
    info.big_endian = order == H5T_ORDER_BE;
    const bool known_order = order == H5T_ORDER_BE || order == H5T_ORDER_LE;
    const std::size_t bits = H5Tget_precision(id);
    const bool unpadded =
        bits == 8 * static_cast<std::size_t>(info.bytes) && H5Tget_offset(id) == 0;
    if (type_class == H5T_FLOAT) {
        info.kind = TypeInfo::Kind::floating;
        info.is_signed = true;
        info.is_standard =
            known_order && unpadded && is_ieee(id, static_cast<std::size_t>(info.bytes), where);
        info.name = std::to_string(bits) + "-bit float" + (info.is_standard ? "" : ", not IEEE");
        return info;
    }
    info.kind = TypeInfo::Kind::integer;
    info.is_signed = H5Tget_sign(id) == H5T_SGN_2;
    const bool power_of_two =
        info.bytes == 1 || info.bytes == 2 || info.bytes == 4 || info.bytes == 8;
    info.is_standard = unpadded && power_of_two && (known_order || info.bytes == 1);
    info.name = std::to_string(bits) + "-bit integer";
    return info;
}

}  // namespace sluice::h5
