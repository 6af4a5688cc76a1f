#include "report/report_summary.hpp"

#include "core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace sluice::report {
namespace {

constexpr int bar_width = 30;
constexpr std::size_t line_width = 78;
constexpr double seconds_per_hour = 3600.0;

// Words in lines of at most that many letters, where no word is longer.
std::string wrapped(const std::string& text) {
    std::string result;
    std::size_t length = 0;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find(' ', begin), text.size());
        const std::string word = text.substr(begin, end - begin);
        begin = end + 1;
        const bool fits = length == 0 || length + 1 + word.size() <= line_width;
        if (length > 0) result += fits ? " " : "\n";
        length = fits && length > 0 ? length + 1 + word.size() : word.size();
        result += word;
    }
    return result + "\n";
}

const MetricPoint* last_point(const Quality& quality, std::size_t arm) {
    const bool is_there = arm < quality.curves.size() && !quality.curves[arm].points.empty();
    return is_there ? &quality.curves[arm].points.back() : nullptr;
}

std::string p_text(double p) {
    return p < 1e-4 ? std::string("p < 0.0001") : fmt::format("p = {:.2g}", p);
}

// Eighths of a block, so that short bars can be told apart.
std::string bar_text(double share) {
    static const std::vector<std::string> eighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const auto units = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * bar_width * 8));
    std::string text;
    for (int i = 0; i < units / 8; ++i)
        text += "█";
    return text + eighths[static_cast<std::size_t>(units % 8)];
}

double largest_value(const Quality& quality) {
    double largest = 0.0;
    for (const MetricCurve& curve : quality.curves) {
        for (const MetricPoint& point : curve.points)
            largest = std::max(largest, point.value);
    }
    return largest;
}

std::string curve_lines(const Quality& quality) {
    if (quality.metric.empty()) return {};
    std::string text =
        fmt::format("\n{:<8}{:>8}  {} ({} is better; active above random)\n", "round", "labels",
                    quality.metric, quality.better == model::Better::higher ? "higher" : "lower");
    const double largest = largest_value(quality);
    for (const MetricPoint& point : quality.curves.front().points) {
        text += fmt::format("{:<8}{:>8}  {:<9.4g} {}\n", point.round,
                            count_text(static_cast<std::int64_t>(point.labels)), point.value,
                            bar_text(point.value / largest));
        if (quality.curves.size() < 2) continue;
        const auto& others = quality.curves[1].points;
        const auto other = std::ranges::find(others, point.round, &MetricPoint::round);
        if (other == others.end()) continue;
        text += fmt::format("{:<8}{:>8}  {:<9.4g} {}\n", "",
                            count_text(static_cast<std::int64_t>(other->labels)), other->value,
                            bar_text(other->value / largest));
    }
    return text;
}

std::string full_data_line(const Quality& quality) {
    const MetricPoint* last = last_point(quality, 0);
    if (last == nullptr || !std::isfinite(last->full_data_share)) return {};
    return fmt::format("all data  {:.4g}; {:.1f} % of it is reached\n", quality.full_data_value,
                       100.0 * last->full_data_share);
}

// How long those that wait have waited by now.
std::string waiting_text(const queue::QueueWaits& waits) {
    if (waits.open == 0) return {};
    const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
    return fmt::format("; oldest waits {:.1f} h",
                       std::max(0.0, now.count() - waits.oldest_issue) / seconds_per_hour);
}

std::string queue_lines(const std::vector<QueueView>& queues) {
    std::string text;
    for (const QueueView& queue : queues) {
        std::vector<std::string> parts;
        for (const auto& [state, count] : queue.states)
            parts.push_back(fmt::format("{} {}", count_text(count), state));
        text += fmt::format("{:<10}{}\n", "queue",
                            queue.name + ": " + fmt::format("{}", fmt::join(parts, ", ")) +
                                waiting_text(queue.waits));
    }
    return text.empty() ? text : "\n" + text;
}

std::string advice_lines(const Advice& advice) {
    std::string text;
    for (const campaign::RuleOutcome& rule : advice.rules)
        text += fmt::format("{:<10}{}{}\n", "rule", rule.text, rule.holds ? "  (holds)" : "");
    if (advice.decision) text += "ended     " + *advice.decision + "\n";
    return text;
}

// `lower by 0.0134 (95 % interval 0.00983 to 0.0169, p < 0.0001)`
std::string difference_text(const Comparison& comparison) {
    const Difference& mean = comparison.mean_of_rounds;
    const double sign = mean.mean < 0.0 ? -1.0 : 1.0;
    return fmt::format("{} by {:.3g} (95 % interval {:.3g} to {:.3g}, {})",
                       mean.mean < 0.0 ? "lower" : "higher", sign * mean.mean,
                       sign * mean.mean - mean.half_width, sign * mean.mean + mean.half_width,
                       p_text(mean.p));
}

}  // namespace

std::string headline(const ReportData& data) {
    const RoundView* round = data.last_round();
    if (round == nullptr) return "This campaign has not begun";
    const MetricPoint* active = last_point(data.quality, 0);
    if (active == nullptr) {
        return fmt::format("Round {} is under way; nothing has been measured yet", round->round);
    }
    std::string text = fmt::format("{} labels bring {} to {:.3g}",
                                   count_text(static_cast<std::int64_t>(active->labels)),
                                   data.quality.metric, active->value);
    const MetricPoint* random = last_point(data.quality, 1);
    if (random == nullptr || random->round != active->round) return text;
    text += fmt::format("; rows asked for by chance, to {:.3g}", random->value);
    return text;
}

std::string verdict_text(const ReportData& data) {
    const Quality& quality = data.quality;
    const Comparison& comparison = quality.comparison;
    if (comparison.verdict == Verdict::not_comparable) {
        return data.arms.size() < 2
                   ? "No random arm ran beside it: nothing is claimed against choosing by chance."
                   : "The random arm cannot be compared with it yet.";
    }
    const std::string verdict =
        comparison.verdict == Verdict::better  ? "Better than choosing by chance: "
        : comparison.verdict == Verdict::worse ? "Worse than choosing by chance: "
                                               : "No difference from choosing by chance is seen: ";
    return verdict +
           fmt::format(
               "over {} rounds its {} is {} on the same {} test rows. One campaign and one "
               "random arm: chance in training is not in it.",
               comparison.rounds, quality.metric, difference_text(comparison),
               count_text(quality.test_rows));
}

std::string summary_text(const ReportData& data) {
    std::string text =
        wrapped(printable(data.name) + ": " + headline(data)) + wrapped(verdict_text(data));
    text += curve_lines(data.quality) + full_data_line(data.quality) + queue_lines(data.queues) +
            advice_lines(data.advice);
    for (const Gap& gap : data.gaps)
        text += "missing   " + gap.part + ": " + printable(gap.reason) + "\n";
    return text;
}

}  // namespace sluice::report
