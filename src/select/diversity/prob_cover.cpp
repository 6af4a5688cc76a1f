#include "core/error.hpp"
#include "select/diversity/coverage.hpp"
#include "select/diversity/rules.hpp"

#include <cmath>

namespace sluice::select {
namespace {

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    const double wanted = options.parameters.radius;
    world.agree([&] {
        require(!std::isnan(wanted), ExitCode::usage,
                "--radius: missing; --diversify prob_cover depends on it very much, so say how far "
                "a row covers others");
    });
    // The cosine distance is half the squared length.
    const double length = options.metric == Metric::cosine ? std::sqrt(2.0 * wanted) : wanted;
    const AllRows all = gather_all_rows(share, world);
    return Coverage(share, options, all, {Similarity::Kernel::ball, static_cast<float>(length)},
                    std::vector<double>(all.rows.size(), 1.0), world)
        .pick();
}

}  // namespace

DiversityDefinition prob_cover_rule() {
    DiversityDefinition rule;
    rule.name = "prob_cover";
    rule.aliases = {"probcover", "max_coverage"};
    rule.summary =
        "ProbCover: what covers the most rows of the shortlist within --radius that no centre or "
        "pick covers yet";
    rule.value = "gain: rows that the pick covers first";
    rule.needs_features = true;
    rule.parameters = "radius";
    rule.pick = pick;
    rule.forecast = Coverage::forecast;
    return rule;
}

}  // namespace sluice::select
