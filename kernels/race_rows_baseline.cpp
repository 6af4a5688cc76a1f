#include "kernels/race_rows_tile.hpp"

namespace sluice::kernels {
namespace {

struct Scalar {
    using Type = std::uint32_t;
    struct Product {
        Type high;
        Type low;
    };

    static Type load(const std::uint32_t* from) { return *from; }
    static Type fill(std::uint32_t value) { return value; }
    static Type low_words(const RowId* rows) {
        return static_cast<std::uint32_t>(static_cast<std::uint64_t>(*rows));
    }
    static Type high_words(const RowId* rows) {
        return static_cast<std::uint32_t>(static_cast<std::uint64_t>(*rows) >> 32);
    }
    static Product multiply(Type a, std::uint32_t b) {
        const std::uint64_t product = std::uint64_t{a} * b;
        return {static_cast<std::uint32_t>(product >> 32), static_cast<std::uint32_t>(product)};
    }
    static Type exclusive_or(Type a, Type b, std::uint32_t c) { return a ^ b ^ c; }
    static unsigned at_most(Type values, Type limits) { return values <= limits ? 1U : 0U; }
};

}  // namespace

const RaceInstructions race_baseline = {1, &early<Scalar>};

}  // namespace sluice::kernels
