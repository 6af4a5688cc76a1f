#include "campaign/label_files.hpp"

#include <algorithm>
#include <filesystem>
#include <numeric>

namespace sluice::campaign {
namespace {

bool is_generation(const std::filesystem::path& path) {
    const std::string name = path.filename().string();
    return name.rfind("labels.g", 0) == 0 && path.extension() == ".h5";
}

}  // namespace

std::vector<std::string> label_files(const std::string& path) {
    if (!std::filesystem::is_directory(path)) return {path};
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
        if (is_generation(entry.path())) files.push_back(entry.path().string());
    }
    std::sort(files.begin(), files.end());
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

}  // namespace sluice::campaign
