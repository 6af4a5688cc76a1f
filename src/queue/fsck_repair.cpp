#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "queue/complete.hpp"
#include "queue/fsck_parts.hpp"
#include "queue/layout.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sluice::queue {
namespace {

int highest_attempt(const TicketFiles& files) {
    int highest = 0;
    for (const auto* names : {&files.results, &files.settled}) {
        for (const std::string& name : *names) {
            const auto parsed = parse_result_name(name);
            if (parsed) highest = std::max(highest, parsed->token.attempt);
        }
    }
    return highest;
}

}  // namespace

bool complete_issued(const std::string& queue_directory, const OrderEntry& entry) {
    const std::string batch = join(join(queue_directory, folder::batches), entry.batch_id);
    if (exists(join(batch, batch_file::manifest))) return false;
    complete_batch(queue_directory, entry);
    return true;
}

bool remove_finished_token(const std::string& queue_directory, std::string_view folder_name,
                           const Token& token) {
    // Whoever handed in the results may not have come to this yet: without the token only they
    // tell that the items are done.
    sync_directory(join(queue_directory, folder::results));
    sync_directory(join(queue_directory, folder::settled));
    const std::string directory = join(queue_directory, folder_name);
    const std::string path = join(directory, token_name(token));
    if (::unlink(path.c_str()) != 0) {
        if (errno == ENOENT) return false;
        throw system_error(path, "cannot remove", errno);
    }
    sync_directory(directory);
    return true;
}

Token remake_token(const std::string& queue_directory, const TicketId& ticket,
                   const TicketFiles& files) {
    Token token;
    token.ticket = ticket;
    token.attempt = 1 + std::min(highest_attempt(files), max_attempts - 1);
    const std::string pending = join(queue_directory, folder::pending);
    const std::string path = join(pending, token_name(token));
    FileDescriptor file(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0664), path);
    if (!file.valid() && errno != EEXIST) throw system_error(path, "cannot create", errno);
    if (file.valid()) file.close();
    sync_directory(pending);
    return token;
}

}  // namespace sluice::queue
