#pragma once

#include "support/mpi_main.hpp"
#include "support/temporary_directory.hpp"

#include <memory>
#include <string>

namespace sluice::test {

/// A temporary directory of rank 0 that all ranks know; removed when all have left the scope.
/// \collective
class SharedDirectory {
  public:
    SharedDirectory() {
        if (world().is_root()) {
            directory_ = std::make_unique<TemporaryDirectory>();
            path_ = directory_->path();
        }
        world().broadcast(path_);
    }
    ~SharedDirectory() { world().barrier(); }
    SharedDirectory(const SharedDirectory&) = delete;
    SharedDirectory& operator=(const SharedDirectory&) = delete;

    const std::string& path() const { return path_; }
    std::string file(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::unique_ptr<TemporaryDirectory> directory_;
    std::string path_;
};

}  // namespace sluice::test
