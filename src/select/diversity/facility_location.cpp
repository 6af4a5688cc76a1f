#include "select/diversity/coverage.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/rules.hpp"

namespace sluice::select {
namespace {

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    const double strength = value_or(options.parameters.strength, 1.0);
    const AllRows all = gather_all_rows(share, world);
    ShortlistShare whole = share;
    whole.rows = all.rows;
    whole.scores = all.scores;
    return Coverage(share, options, all, usual_similarity(all, options),
                    score_weights(whole, strength, "facility_location", world), world)
        .pick();
}

}  // namespace

DiversityDefinition facility_location_rule() {
    DiversityDefinition rule;
    rule.name = "facility_location";
    rule.aliases = {"uherding", "maxherding", "max_herding", "suggestive_annotation", "max_cover"};
    rule.summary =
        "facility location: what makes the rows of the shortlist, weighted by score^strength "
        "(usually 1: UHerding; 0: MaxHerding), most similar to a centre or pick; Gaussian kernel "
        "of length --radius (auto: the median distance), or the cosine";
    rule.value = "gain: weighted sum of similarity that the pick adds";
    rule.needs_features = true;
    rule.parameters = "strength radius";
    rule.pick = pick;
    rule.forecast = Coverage::forecast;
    return rule;
}

}  // namespace sluice::select
