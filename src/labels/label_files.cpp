#include "labels/label_files.hpp"

#include "core/directory.hpp"
#include "core/path_status.hpp"

#include <numeric>
#include <string_view>

namespace sluice::labels {
namespace {

bool is_generation(std::string_view name) {
    return name.starts_with("labels.g") && name.ends_with(".h5");
}

}  // namespace

std::vector<std::string> label_files(const std::string& path) {
    if (!is_directory(path)) return {path};
    std::vector<std::string> files;
    for (const std::string& name : list_directory(path)) {
        if (is_generation(name)) files.push_back(path + "/" + name);
    }
    return files;
}

bool is_integer(pool::ElementType type) {
    return type != pool::ElementType::float16 && type != pool::ElementType::float32 &&
           type != pool::ElementType::float64 && type != pool::ElementType::text;
}

std::vector<RowId> all_rows(RowId count) {
    std::vector<RowId> rows(static_cast<std::size_t>(count));
    std::iota(rows.begin(), rows.end(), RowId{0});
    return rows;
}

}  // namespace sluice::labels
