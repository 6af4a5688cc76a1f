// publish_driver DIRECTORY ID [ITEMS]: does with a queue what one selection does, and nothing else,
// so that tests can kill it at every file system call, or have a batch without making a pool.
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/trouble.hpp"
#include "queue/publish.hpp"
#include "tests/queue/sample_batch.hpp"

#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

int main(int argc, char** argv) {
    using namespace sluice;
    try {
        require(argc == 3 || argc == 4, ExitCode::usage,
                "usage: publish_driver DIRECTORY ID [ITEMS]");
        const std::size_t num_items = argc == 4 ? std::stoul(argv[3]) : 3;
        queue::Queue queue(argv[1]);
        if (queue.find_batch(argv[2]).has_value()) {
            std::cout << "already there\n";
            fail_on_trouble();
            return 0;
        }
        const std::int64_t num_issued = queue.num_issued();
        queue.publish(test::sample_batch(argv[2], queue.issued_rows(), num_items), num_issued);
        std::cout << "published\n";
        fail_on_trouble();
        return 0;
    } catch (const Error& error) {
        log_error(error.what(), ErrorScope::whole_job);
        return static_cast<int>(error.code());
    } catch (const std::exception& error) {
        log_error(error.what(), ErrorScope::whole_job);
        return static_cast<int>(ExitCode::internal);
    }
}
