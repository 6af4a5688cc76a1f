#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::campaign {

/// One key of campaign.ini: what the reader accepts and what help shows. The only list of them.
struct CampaignKey {
    enum class Kind { single, list };

    /// What a change does to rounds that are finished.
    enum class Change {
        refused,     ///< it would alter them: not in a directory that has some
        next_round,  ///< it counts for rounds that have not begun
        at_once,     ///< it alters no result
    };

    std::string section;
    std::string name;
    std::string value_name;
    std::string summary;
    std::string unit = {};
    std::string default_text = {};  ///< taken as if it had been given; empty = none
    Change change = Change::refused;
    std::vector<std::string> choices = {};  ///< the only values, when there are any
    Kind kind = Kind::single;
};

/// Every key, section by section.
const std::vector<CampaignKey>& campaign_keys();

/// The names of the sections, in order.
std::vector<std::string> campaign_sections();

/// The key of that section and name, or null.
const CampaignKey* find_campaign_key(std::string_view section, std::string_view name);

}  // namespace sluice::campaign
