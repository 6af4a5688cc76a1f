#include "core/trouble.hpp"

#include <exception>
#include <mutex>
#include <utility>

namespace sluice {
namespace {

struct Notes {
    std::mutex mutex;
    std::optional<Error> first;
};

Notes& notes() {
    static Notes instance;
    return instance;
}

}  // namespace

void note_trouble(const std::string& path, const char* action, int error_number) noexcept {
    try {
        note_trouble(system_error(path, action, error_number));
    } catch (const std::exception&) {  // no memory for the text
        note_trouble(Error(ExitCode::io_error, action));
    }
}

void note_trouble(const Error& error) noexcept {
    const std::lock_guard lock(notes().mutex);
    if (!notes().first) notes().first = error;
}

std::optional<Error> take_trouble() {
    const std::lock_guard lock(notes().mutex);
    return std::exchange(notes().first, std::nullopt);
}

void fail_on_trouble() {
    if (const auto trouble = take_trouble()) throw Error(*trouble);
}

}  // namespace sluice
