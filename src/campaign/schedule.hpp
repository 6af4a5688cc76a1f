#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::campaign {

/// How a batch is chosen.
struct BatchStrategy {
    std::string score;
    std::string diversity;

    bool operator==(const BatchStrategy&) const = default;
};

/// Strategies by rounds, the first that fits counts.
class Schedule {
  public:
    /// Empty: `otherwise` in every round.
    explicit Schedule(BatchStrategy otherwise = {}) : otherwise_(std::move(otherwise)) {}

    /// Reads `2:random/none, 3-5:random/k_center, 6-:bald/k_center`. Throws Error(bad_config)
    /// beginning with `where` for anything else and for names that no registry has.
    static Schedule parse(std::string_view text, const BatchStrategy& otherwise,
                          const std::string& where);

    const BatchStrategy& of_round(std::int64_t round) const;

    /// All there are: that of rounds which none is written for, then the others.
    std::vector<BatchStrategy> strategies() const;

  private:
    struct Entry {
        std::int64_t first = 0;
        std::int64_t last = 0;
        BatchStrategy strategy;
    };

    BatchStrategy otherwise_;
    std::vector<Entry> entries_;
};

}  // namespace sluice::campaign
