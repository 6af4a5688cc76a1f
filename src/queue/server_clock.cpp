#include "queue/server_clock.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "queue/layout.hpp"
#include "queue/staging.hpp"

#include <sys/stat.h>

#include <cerrno>

namespace sluice::queue {

std::int64_t file_server_time_ns(const std::string& queue_directory) {
    const std::string probe = join(join(queue_directory, folder::tmp), staging_name());
    create_text_file(probe, "", SyncTime::later);
    struct stat status {};
    const FileDescriptor file = open_own_file(probe);
    if (::fstat(file.get(), &status) != 0) throw system_error(probe, "cannot examine", errno);
    clear_away(probe);
    return status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec;
}

}  // namespace sluice::queue
