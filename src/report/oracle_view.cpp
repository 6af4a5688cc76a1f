#include "report/oracle_view.hpp"

#include "core/directory.hpp"
#include "core/error.hpp"
#include "core/path_status.hpp"
#include "queue/layout.hpp"
#include "queue/result_file.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

namespace sluice::report {
namespace {

constexpr std::int64_t most_results = 200'000;
constexpr std::size_t time_bins = 30;
constexpr std::size_t most_reasons = 12;

// The names of all result files, each with the folders it may be in: they move while one looks.
std::set<std::string> result_names(const std::string& queue_directory) {
    std::set<std::string> names;
    for (const std::string_view folder : {queue::folder::results, queue::folder::settled}) {
        for (const std::string& name : list_directory(queue::join(queue_directory, folder))) {
            if (queue::parse_result_name(name)) names.insert(name);
        }
    }
    return names;
}

std::vector<queue::ItemResult> read_results(const std::string& queue_directory,
                                            const std::string& name) {
    for (const std::string_view folder :
         {queue::folder::results, queue::folder::settled, queue::folder::results}) {
        const std::string path = queue::join(queue::join(queue_directory, folder), name);
        if (!queue::exists(path)) continue;
        try {
            return queue::read_result_file(path).results;
        } catch (const Error& error) {
            if (error.code() != ExitCode::no_input) throw;
        }
    }
    throw Error(ExitCode::no_input, queue_directory + ": " + name + ": is gone");
}

void fill_times(std::vector<double> seconds, OracleView& view) {
    if (seconds.empty()) return;
    std::sort(seconds.begin(), seconds.end());
    for (const double value : seconds)
        view.seconds += value;
    view.median_seconds = seconds[(seconds.size() - 1) / 2];
    view.longest_seconds = seconds.back();
    const auto first = std::ranges::find_if(seconds, [](double value) { return value > 0.0; });
    if (first == seconds.end()) return;
    const double low = *first;
    const double high = seconds.back() > low ? seconds.back() : low * 1.01;
    for (std::size_t i = 0; i <= time_bins; ++i)
        view.edges.push_back(
            low * std::pow(high / low, static_cast<double>(i) / static_cast<double>(time_bins)));
    view.edges.front() = low;
    view.edges.back() = high;
    view.counts.assign(time_bins, 0);
    for (const double value : seconds) {
        const auto above =
            std::upper_bound(view.edges.begin(), view.edges.end(), value) - view.edges.begin();
        const auto bin = std::clamp<std::ptrdiff_t>(above - 1, 0, std::ssize(view.counts) - 1);
        ++view.counts[static_cast<std::size_t>(bin)];
    }
}

class Reader {
  public:
    Reader(const std::map<RowId, std::size_t>& regions, OracleView& view)
        : regions_(regions), view_(view) {
        if (regions.empty()) return;
        view.asked_by_region.assign(num_regions, 0);
        view.failed_by_region.assign(num_regions, 0);
    }

    void read(const std::string& queue_directory) {
        for (const std::string& name : result_names(queue_directory)) {
            if (view_.results >= most_results) {
                ++view_.left_out;
                continue;
            }
            try {
                for (const queue::ItemResult& result : read_results(queue_directory, name))
                    add(result);
            } catch (const Error&) {
                ++view_.left_out;
            }
        }
        finish();
    }

  private:
    void add(const queue::ItemResult& result) {
        if (result.status == queue::ItemStatus::refused) return;
        ++view_.results;
        seconds_.push_back(result.wall_seconds);
        const auto region = regions_.find(result.row);
        const bool is_placed = region != regions_.end();
        if (is_placed) ++view_.asked_by_region[region->second];
        if (result.status == queue::ItemStatus::ok) return;
        Reason& reason = reasons_[{std::string(queue::status_name(result.status)), result.reason}];
        ++reason.items;
        if (!is_placed) return;
        ++view_.failed_by_region[region->second];
        reason.by_region.resize(num_regions, 0);
        ++reason.by_region[region->second];
    }

    void finish() {
        fill_times(std::move(seconds_), view_);
        for (auto& [key, reason] : reasons_) {
            std::tie(reason.status, reason.text) = key;
            view_.reasons.push_back(reason);
        }
        std::ranges::stable_sort(
            view_.reasons, [](const Reason& a, const Reason& b) { return a.items > b.items; });
        if (view_.reasons.size() > most_reasons) view_.reasons.resize(most_reasons);
    }

    const std::map<RowId, std::size_t>& regions_;
    OracleView& view_;
    std::vector<double> seconds_;
    std::map<std::pair<std::string, std::string>, Reason> reasons_;
};

}  // namespace

void view_oracle(const std::map<RowId, std::size_t>& regions, ReportData& data) {
    const std::string directory = data.active().arm.queue();
    if (is_directory(directory)) Reader(regions, data.oracle).read(directory);
}

}  // namespace sluice::report
