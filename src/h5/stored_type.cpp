#include "h5/stored_type.hpp"

#include "h5/calls.hpp"

namespace sluice::h5 {
namespace {

// HDF5 1.10 has no predefined binary16: cut it out of binary32 (fields first, then the size).
Handle make_float16() {
    const std::string where = "float16 type";
    Handle type = own_type(H5Tcopy(H5T_IEEE_F32LE), where);
    check(H5Tset_fields(type.get(), 15, 10, 5, 0, 10), where);
    check(H5Tset_size(type.get(), 2), where);
    check(H5Tset_ebias(type.get(), 15), where);
    return type;
}

hid_t predefined(StoredType type) {
    switch (type) {
        case StoredType::float64:
            return H5T_IEEE_F64LE;
        case StoredType::int8:
            return H5T_STD_I8LE;
        case StoredType::int16:
            return H5T_STD_I16LE;
        case StoredType::int32:
            return H5T_STD_I32LE;
        case StoredType::int64:
            return H5T_STD_I64LE;
        case StoredType::uint8:
            return H5T_STD_U8LE;
        case StoredType::uint16:
            return H5T_STD_U16LE;
        case StoredType::uint32:
            return H5T_STD_U32LE;
        case StoredType::uint64:
            return H5T_STD_U64LE;
        default:
            return H5T_IEEE_F32LE;
    }
}

}  // namespace

std::int64_t stored_bytes(StoredType type) {
    switch (type) {
        case StoredType::int8:
        case StoredType::uint8:
            return 1;
        case StoredType::float16:
        case StoredType::int16:
        case StoredType::uint16:
            return 2;
        case StoredType::float32:
        case StoredType::int32:
        case StoredType::uint32:
            return 4;
        default:
            return 8;
    }
}

Handle make_type(StoredType type) {
    start_library();
    if (type == StoredType::float16) return make_float16();
    return own_type(H5Tcopy(predefined(type)), "number type");
}

}  // namespace sluice::h5
