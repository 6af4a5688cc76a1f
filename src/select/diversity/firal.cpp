#include "select/diversity/firal.hpp"

#include "core/error.hpp"
#include "select/diversity/rules.hpp"

namespace sluice::select {
namespace {

constexpr std::int64_t most_parameters = 256;
constexpr std::int64_t most_work = std::int64_t{1} << 28;  // rows x parameters^2

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    const std::int64_t num_rows = world.sum(std::ssize(share.rows));
    return firal_is_exact(num_rows, share.features.dim, share.classes)
               ? firal_exact(share, options, world)
               : firal_by_blocks(share, options, world);
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    if (!firal_is_exact(sizes.shortlist_rows, sizes.dim, sizes.classes))
        return forecast_firal_by_blocks(sizes);
    const std::int64_t parameters = sizes.dim * sizes.classes;
    constexpr auto real = static_cast<std::int64_t>(sizeof(double));
    const std::int64_t row = (sizes.dim + sizes.member_floats) * std::int64_t{sizeof(float)};
    DiversityForecast forecast;
    forecast.memory_bytes =
        12 * parameters * parameters * real +
        sizes.shortlist_rows * (3 * row + 4 * real + sizes.classes * sizes.classes * real);
    forecast.rounds = 1;
    forecast.bytes_received = sizes.shortlist_rows * (row + real);
    return forecast;
}

}  // namespace

bool firal_is_exact(std::int64_t num_rows, std::int64_t dim, std::int64_t classes) {
    const std::int64_t parameters = dim * classes;
    return parameters <= most_parameters && num_rows * parameters * parameters <= most_work;
}

// Small shortlists of small layers are done with dense matrices, others with estimates and blocks.
// \source Chen, Wen and Biros, "A Scalable Algorithm for Active Learning", SC24 (arXiv 2409.07392),
//         algorithms 1 and 2 (Exact-FIRAL) and 3 to 5 (Approx-FIRAL), rate 8 sqrt(parameters).
DiversityDefinition firal_rule() {
    DiversityDefinition rule;
    rule.name = "firal";
    rule.aliases = {"approx_firal", "fisher_ratio"};
    rule.summary =
        "FIRAL of a softmax layer: weights of the shortlist with least Fisher information ratio, "
        "rounded by regret minimisation; dense up to 256 features x classes, beyond by random "
        "probes, conjugate gradients and a block for each class (Approx-FIRAL)";
    rule.value = "fall of tr(B^-1 S) when picked";
    rule.needs_features = true;
    rule.needs_members = true;
    rule.parameters = "sigma";
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
