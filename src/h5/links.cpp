#include "core/text.hpp"
#include "h5/calls.hpp"
#include "h5/inspect.hpp"

#include <algorithm>

namespace sluice::h5 {
namespace {

constexpr int max_soft_links = 32;
constexpr std::size_t max_link_bytes = std::size_t{1} << 16;

std::string link_value(hid_t file, const std::string& link, std::size_t bytes,
                       const std::string& where) {
    std::string value(std::min(bytes, max_link_bytes) + 1, '\0');
    check(H5Lget_val(file, link.c_str(), value.data(), value.size(), H5P_DEFAULT), where);
    return value;
}

Target outside_target(const std::string& link, const std::string& value) {
    unsigned flags = 0;
    const char* file = nullptr;
    const char* object = nullptr;
    if (H5Lunpack_elink_val(value.data(), value.size(), &flags, &file, &object) < 0) {
        H5Eclear2(H5E_DEFAULT);
        return {Target::Kind::outside, link, "an unreadable target"};
    }
    return {Target::Kind::outside, link, printable(std::string(file) + ":" + object)};
}

Target object_at(hid_t file, const std::string& path, const std::string& where) {
    H5O_info_t info{};
    check(H5Oget_info_by_name2(file, path.c_str(), &info, H5O_INFO_BASIC, H5P_DEFAULT), where);
    switch (info.type) {
        case H5O_TYPE_DATASET:
            return {Target::Kind::dataset, path, {}};
        case H5O_TYPE_GROUP:
            return {Target::Kind::group, path, {}};
        case H5O_TYPE_NAMED_DATATYPE:
            return {Target::Kind::named_type, path, {}};
        default:
            return {Target::Kind::unknown, path, {}};
    }
}

// "a/b/c" -> {"a", "b/c"}, leading slashes dropped.
std::pair<std::string, std::string> split_first(const std::string& path) {
    const std::size_t begin = path.find_first_not_of('/');
    if (begin == std::string::npos) return {};
    const std::size_t end = path.find('/', begin);
    if (end == std::string::npos) return {path.substr(begin), {}};
    const std::size_t rest = path.find_first_not_of('/', end);
    return {path.substr(begin, end - begin), rest == std::string::npos ? "" : path.substr(rest)};
}

}  // namespace

// One path component at a time, because the library would follow an external link by itself.
Target Inspector::follow(const std::string& object) const {
    std::string done;  // real groups walked so far
    std::string left = object;
    std::string last_link;
    for (int num_links = 0; num_links <= max_soft_links;) {
        const auto [name, rest] = split_first(left);
        if (name.empty()) return object_at(file_.get(), done.empty() ? "/" : done, where(object));
        const std::string here = done + "/" + name;
        if (!done.empty() &&
            object_at(file_.get(), done, where(object)).kind != Target::Kind::group) {
            return {last_link.empty() ? Target::Kind::missing : Target::Kind::dangling, here,
                    last_link};
        }
        if (check(H5Lexists(file_.get(), here.c_str(), H5P_DEFAULT), where(object)) == 0) {
            return {last_link.empty() ? Target::Kind::missing : Target::Kind::dangling, here,
                    last_link};
        }
        H5L_info_t link{};
        check(H5Lget_info(file_.get(), here.c_str(), &link, H5P_DEFAULT), where(object));
        if (link.type == H5L_TYPE_HARD) {
            done = here;
            left = rest;
            continue;
        }
        const std::string value = link_value(file_.get(), here, link.u.val_size, where(here));
        if (link.type == H5L_TYPE_EXTERNAL) return outside_target(here, value);
        if (link.type != H5L_TYPE_SOFT) return {Target::Kind::outside, here, "a user-defined link"};
        const std::string target = value.c_str();
        last_link = printable(here) + " -> " + printable(target);
        const bool absolute = !target.empty() && target[0] == '/';
        left = (absolute || done.empty() ? target : done + "/" + target) + "/" + rest;
        done.clear();
        ++num_links;
    }
    return {Target::Kind::loop, object, last_link};
}

}  // namespace sluice::h5
