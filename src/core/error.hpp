#pragma once

#include <stdexcept>
#include <string>

namespace sluice {

/// Process exit codes (sysexits.h), the same on the command line and through MPI_Abort.
enum class ExitCode : int {
    done = 0,
    usage = 64,          ///< wrong option or value on the command line
    bad_data = 65,       ///< a file's content breaks its contract
    no_input = 66,       ///< an input file is missing or not a file
    unavailable = 69,    ///< a needed program or device is missing
    internal = 70,       ///< our bug
    cannot_create = 73,  ///< an output cannot be created
    io_error = 74,       ///< read or write failed, disk full
    try_again = 75,      ///< come back later
    permission = 77,     ///< not allowed
    bad_config = 78,     ///< an INI file is wrong
};

/// The one exception of sluice: an exit code and a one-line message.
/// The message has the form `FILE: DATASET[ROW]: what is wrong (value); what to do`, without the
/// leading `sluice: error: `, which the program's main adds.
class Error : public std::runtime_error {
  public:
    Error(ExitCode code, const std::string& message, int error_number = 0)
        : std::runtime_error(message), code_(code), error_number_(error_number) {}
    ExitCode code() const noexcept { return code_; }

    /// errno of the system call that failed; 0 if none did.
    int error_number() const noexcept { return error_number_; }

  private:
    ExitCode code_;
    int error_number_;
};

/// Throws Error(code, message) unless `condition` holds. For input, always on.
inline void require(bool condition, ExitCode code, const std::string& message) {
    if (!condition) throw Error(code, message);
}

/// Builds the Error for a failed system call on `path` from errno: ENOENT is no_input, EACCES and
/// EPERM are permission, EROFS is cannot_create, everything else is io_error.
/// `action` is what was being done, as in "cannot write"; `error_number` is errno.
Error system_error(const std::string& path, const std::string& action, int error_number);

}  // namespace sluice
