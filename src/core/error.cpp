#include "core/error.hpp"

#include <cerrno>
#include <cstring>

namespace sluice {
namespace {

ExitCode code_of(int error_number) {
    switch (error_number) {
        case ENOENT:
        case ENOTDIR:
            return ExitCode::no_input;
        case EACCES:
        case EPERM:
            return ExitCode::permission;
        case EROFS:
            return ExitCode::cannot_create;
        default:
            return ExitCode::io_error;
    }
}

const char* remedy_of(int error_number) {
    switch (error_number) {
        case ENOENT:
            return "; check the path";
        case EACCES:
        case EPERM:
            return "; check the owner and mode of the file and of its directory";
        case EROFS:
            return "; choose a directory on a writable file system";
        case ENOSPC:
        case EDQUOT:
            return "; free some space or choose another directory, then run again";
        case EFBIG:
            return "; raise the limit on file sizes (ulimit -f), then run again";
        case EMFILE:
        case ENFILE:
            return "; raise the limit on open files (ulimit -n), then run again";
        case ENOMEM:
            return "; lower --memory or use more ranks";
        default:
            return "; see whether the file system is healthy, then run again";
    }
}

}  // namespace

Error system_error(const std::string& path, const std::string& action, int error_number) {
    return {code_of(error_number),
            path + ": " + action + ": " + std::strerror(error_number) + remedy_of(error_number),
            error_number};
}

}  // namespace sluice
