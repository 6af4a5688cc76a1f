#include "report/campaign_files.hpp"

#include "core/directory.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/path_status.hpp"
#include "queue/layout.hpp"
#include "report/csv_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <ranges>
#include <utility>

namespace sluice::report {
namespace {

using campaign::Arm;
namespace round_file = campaign::round_file;

std::int64_t round_number(const std::string& name) {
    std::int64_t number = -1;
    const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    return error == std::errc() && stop == name.data() + name.size() ? number : -1;
}

std::vector<std::int64_t> round_numbers(const Arm& arm) {
    std::vector<std::int64_t> numbers;
    for (const std::string& name : list_directory(arm.directory + "/rounds")) {
        if (const std::int64_t number = round_number(name); number >= 0) numbers.push_back(number);
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

double number_of(const std::string& text) {
    double value = not_known;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

// Reads one round; each part that fails is left out and told of.
class RoundReader {
  public:
    RoundReader(const Arm& arm, std::int64_t round, std::vector<Gap>& gaps)
        : arm_(arm), gaps_(gaps) {
        view_.round = round;
    }

    RoundView read() {
        const std::int64_t round = view_.round;
        attempt([&] { view_.is_complete = campaign::is_complete(arm_, round); });
        attempt([&] { view_.plan = campaign::read_plan(arm_, round); });
        attempt([&] { view_.batch = campaign::read_batch(arm_, round); });
        attempt([&] { view_.record = campaign::read_record(arm_, round); });
        attempt([&] { view_.timings = campaign::read_timings(arm_, round); });
        attempt([&] { view_.versions = campaign::read_versions(arm_, round); });
        attempt([&] { read_chosen(); });
        attempt([&] { read_labels(); });
        tell_of_absent_files();
        return std::move(view_);
    }

  private:
    void attempt(const std::function<void()>& step) {
        try {
            step();
        } catch (const Error& error) {
            gaps_.push_back({fmt::format("round {} ({})", view_.round, arm_.name), error.what()});
        }
    }

    std::vector<std::vector<std::string>> table(const char* name, std::size_t least_fields) const {
        const std::string path = arm_.file(view_.round, name);
        if (!queue::exists(path)) return {};
        auto lines = csv_lines(read_text_file(path));
        const bool is_whole = !lines.empty() && lines.front().front() == "rank" &&
                              std::ranges::all_of(lines, [&](const auto& line) {
                                  return line.size() >= least_fields;
                              });
        require(is_whole, ExitCode::bad_data, path + ": is damaged; restore it");
        return lines;
    }

    void read_chosen() {
        const auto lines = table(round_file::selected, 5);
        if (lines.empty()) return;
        const auto reason = std::ranges::find(lines.front(), "reason") - lines.front().begin();
        for (const auto& line : lines | std::views::drop(1)) {
            ChosenRow chosen;
            chosen.rank = std::ssize(view_.chosen) + 1;
            chosen.row = round_number(line[1]);
            require(chosen.row >= 0, ExitCode::bad_data,
                    arm_.file(view_.round, round_file::selected) + ": is damaged; restore it");
            chosen.id = line[2];
            chosen.score = number_of(line[3]);
            chosen.distance = number_of(line[4]);
            if (reason < std::ssize(line)) chosen.reason = line[static_cast<std::size_t>(reason)];
            view_.chosen.push_back(std::move(chosen));
        }
    }

    void read_labels() {
        std::size_t next = 0;
        const auto lines = table(round_file::labels, 5);
        for (const auto& line : lines | std::views::drop(1)) {
            ++(line[2] == "ok" ? view_.num_ok : view_.num_failed);
            const RowId row = round_number(line[1]);
            if (next >= view_.chosen.size() || view_.chosen[next].row != row) continue;
            ChosenRow& chosen = view_.chosen[next++];
            chosen.status = line[2];
            if (chosen.status != "ok") continue;
            for (std::size_t field = 4; field < line.size(); ++field)
                chosen.y.push_back(number_of(line[field]));
        }
    }

    // A round that is complete has all its files.
    void tell_of_absent_files() {
        if (!view_.is_complete) return;
        for (const char* name : {round_file::plan, round_file::batch, round_file::selected,
                                 round_file::labels, round_file::metrics}) {
            const bool is_of_batches = name == round_file::batch || name == round_file::selected ||
                                       name == round_file::labels;
            const bool has_none = view_.round == 0 || (view_.batch && view_.batch->id.empty());
            const std::string path = arm_.file(view_.round, name);
            if ((is_of_batches && has_none) || queue::exists(path)) continue;
            gaps_.push_back({fmt::format("round {} ({})", view_.round, arm_.name),
                             path + ": is gone, but the round is complete; restore it"});
        }
    }

    const Arm& arm_;
    std::vector<Gap>& gaps_;
    RoundView view_;
};

ArmView read_arm(const Arm& arm, std::vector<Gap>& gaps) {
    ArmView view{arm, {}};
    try {
        for (const std::int64_t round : round_numbers(arm))
            view.rounds.push_back(RoundReader(arm, round, gaps).read());
    } catch (const Error& error) {
        gaps.push_back({"rounds of the " + arm.name + " arm", error.what()});
    }
    return view;
}

// The random arm's own rounds begin after the start.
std::int64_t first_random_round(const ReportData& data, const ArmView& random) {
    if (data.spec) return data.spec->start.rounds + 1;
    return random.rounds.empty() ? 1 : random.rounds.front().round;
}

}  // namespace

CampaignPlace find_campaign(const std::string& path) {
    CampaignPlace place;
    const bool is_folder = is_directory(path);
    place.directory = path;
    while (place.directory.size() > 1 && place.directory.ends_with('/'))
        place.directory.pop_back();
    place.file = place.directory + "/campaign.ini";
    if (!is_folder) {
        place.file = path;
        const std::size_t slash = path.rfind('/');
        place.directory = slash == std::string::npos ? "." : path.substr(0, slash);
    }
    if (path_status(place.file, Links::follow)) place.text = read_text_file(place.file);
    require(!place.text.empty() || is_directory(place.directory + "/rounds"), ExitCode::no_input,
            path +
                ": is no campaign (no campaign.ini, no rounds); give the directory of one that "
                "sluice run has begun");
    return place;
}

void read_rounds(const CampaignPlace& place, ReportData& data) {
    data.directory = place.directory;
    const std::int64_t first = data.spec ? data.spec->first_round() : 1;
    data.arms.push_back(read_arm({"active", place.directory, first}, data.gaps));
    const std::string random = place.directory + "/random";
    if (is_directory(random)) {
        ArmView view = read_arm({"random", random, 1}, data.gaps);
        view.arm.first_round = first_random_round(data, view);
        data.arms.push_back(std::move(view));
    }
    if (data.active().rounds.empty()) {
        data.gaps.push_back({"rounds", place.directory + "/rounds: no round has begun"});
    }
}

const RoundView* find_round(const ArmView& arm, std::int64_t round) {
    const auto found = std::ranges::find(arm.rounds, round, &RoundView::round);
    return found == arm.rounds.end() ? nullptr : &*found;
}

const RoundView* last_batch(const ReportData& data) {
    const std::vector<RoundView>& rounds = data.active().rounds;
    const auto found = std::find_if(rounds.rbegin(), rounds.rend(),
                                    [](const RoundView& round) { return !round.chosen.empty(); });
    return found == rounds.rend() ? nullptr : &*found;
}

}  // namespace sluice::report
