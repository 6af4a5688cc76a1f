#include "campaign/selection_balance.hpp"

#include "campaign/selection_inputs.hpp"
#include "core/text.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace sluice::campaign {
namespace {

select::ClassMix mix_of(const JsonNode& strategy) {
    using Kind = select::ClassMix::Kind;
    const std::string distribution =
        strategy.has("distribution") ? strategy.text("distribution") : "TARGET";
    if (distribution != "TARGET" && strategy.has("target"))
        strategy.fail("target", "given beside distribution " + printable(distribution));
    if (distribution == "UNIFORM") return {Kind::uniform, {}};
    if (distribution == "INPUT") return {Kind::as_pool, {}};
    if (distribution != "TARGET")
        strategy.fail("distribution",
                      "unknown (" + printable(distribution) + "); use TARGET, UNIFORM or INPUT");
    const JsonNode target = strategy.object("target");
    select::ClassMix mix{Kind::balance, {}};
    for (const auto& [name, value] : target.json().items()) {
        const double share = target.number(name);
        if (share < 0.0)
            target.fail(printable(name), number_text(share) + " is below 0; give a share");
        if (share > 0.0) mix.targets.push_back({name, share});
    }
    if (mix.targets.empty()) strategy.fail("target", "names no class");
    const std::string wrong = select::what_is_wrong(mix);
    if (!wrong.empty()) strategy.fail("target", "asks for " + wrong);
    return mix;
}

}  // namespace

select::Balance read_balance(const JsonNode& input, const JsonNode& strategy) {
    strategy.allow({"type", "strength", "target", "distribution"});
    need_input(input, strategy, {"METADATA", "PREDICTIONS"});
    select::Balance balance;
    balance.weight = positive_strength_of(strategy);
    if (input.text("type") == "METADATA") balance.class_by = "column:" + input.text("key");
    if (input.has("name") && input.text("name") != "CLASS_DISTRIBUTION")
        input.fail("name",
                   "unknown (" + printable(input.text("name")) + "); use CLASS_DISTRIBUTION");
    if (input.has("categories"))
        input.fail("categories", "rows have one predicted class; leave it out");
    balance.mix = mix_of(strategy);
    return balance;
}

}  // namespace sluice::campaign
