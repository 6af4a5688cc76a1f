#pragma once

#include <exception>
#include <thread>
#include <vector>

namespace sluice::select {

/// Runs work(part) for each of num_parts parts on as many threads; rethrows the lowest part's
/// error.
template <typename Work>
void in_parallel(int num_parts, const Work& work) {
    std::vector<std::exception_ptr> failures(static_cast<std::size_t>(num_parts));
    const auto guarded = [&](int part) noexcept {
        try {
            work(part);
        } catch (...) {
            failures[static_cast<std::size_t>(part)] = std::current_exception();
        }
    };
    {
        std::vector<std::jthread> threads;
        for (int part = 1; part < num_parts; ++part)
            threads.emplace_back(guarded, part);
        guarded(0);
    }
    for (const auto& failure : failures) {
        if (failure) std::rethrow_exception(failure);
    }
}

}  // namespace sluice::select
