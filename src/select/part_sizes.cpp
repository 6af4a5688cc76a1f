#include "select/part_sizes.hpp"

#include "core/error.hpp"
#include "core/partition.hpp"
#include "core/text.hpp"
#include "select/class_mix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>
#include <utility>

namespace sluice::select {
namespace {

using Kind = ClassMix::Kind;

struct ClassCount {
    std::int64_t code;
    std::int64_t rows;
};

std::map<std::int64_t, std::int64_t> add_up(const std::map<std::int64_t, std::int64_t>& mine,
                                            comm::Communicator& world) {
    std::vector<ClassCount> counts;
    for (const auto& [code, rows] : mine)
        counts.push_back({code, rows});
    std::map<std::int64_t, std::int64_t> sum;
    for (const ClassCount& count : world.all_gather(std::span<const ClassCount>(counts)))
        sum[count.code] += count.rows;
    return sum;
}

// The classes of this rank's share of some rows.
std::map<std::int64_t, std::int64_t> census_of_share(const RowClasses& classes,
                                                     std::span<const RowId> rows,
                                                     comm::Communicator& world) {
    std::map<std::int64_t, std::int64_t> census;
    world.agree([&] {
        const RowRange share = part_of_rows(std::ssize(rows), world.rank(), world.size());
        RowClasses::Scratch scratch;
        std::vector<std::int64_t> code;
        for (RowId i = share.begin; i < share.end; ++i) {
            const RowId row = rows[static_cast<std::size_t>(i)];
            classes.read({row, row + 1}, code, scratch);
            if (code.front() != no_class) ++census[code.front()];
        }
    });
    return census;
}

std::set<std::int64_t> codes_of(const std::map<std::int64_t, std::int64_t>& census) {
    std::set<std::int64_t> codes;
    for (const auto& [code, rows] : census)
        codes.insert(code);
    return codes;
}

}  // namespace

PartSizes::PartSizes(const Plan& plan, const RowClasses* classes, const ScanLists& lists,
                     std::span<const RowId> centers, comm::Communicator& world)
    : plan_(plan), classes_(classes) {
    if (classes == nullptr) return;
    census_ = add_up(lists.census(), world);
    if (plan.class_mix.kind == Kind::catch_up)
        labeled_ = add_up(plan.items.has_items() ? lists.taken_census()
                                                 : census_of_share(*classes, centers, world),
                          world);
    if (plan.class_mix.takes_any_class()) {
        share_classes(*classes, codes_of(lists.census()), world);
        plan.class_mix.kind == Kind::several ? add_cells() : add_every_class();
    } else {
        add_named();
    }
    if (plan.class_mix.is_quota())
        check_quotas();
    else if (plan.class_mix.kind != Kind::several)
        size_by_shares();
}

void PartSizes::add_named() {
    const bool is_quota = plan_.class_mix.is_quota();
    std::int64_t others = 0;
    for (const auto& [code, rows] : census_)
        others += rows;
    for (const ClassMix::Target& target : plan_.class_mix.targets) {
        Part part;
        part.code = *classes_->code_of(target.name);
        part.name = classes_->name_of(part.code);
        part.rows = is_quota ? static_cast<std::int64_t>(target.amount) : 0;
        part.candidates = census_.contains(part.code) ? census_.at(part.code) : 0;
        part.reason = (is_quota ? "quota " : "balance ") + part.name;
        others -= part.candidates;
        parts_.push_back(std::move(part));
    }
    if (has_others(plan_.class_mix))
        parts_.push_back({no_class, "others", 0, others, "balance others"});
}

void PartSizes::add_every_class() {
    const bool is_quota = plan_.class_mix.is_quota();
    for (const auto& [code, rows] : census_) {
        Part part;
        part.code = code;
        part.name = classes_->name_of(code);
        part.rows =
            is_quota ? static_cast<std::int64_t>(plan_.class_mix.targets.front().amount) : 0;
        part.candidates = rows;
        part.reason = (is_quota ? "quota " : "balance ") + part.name;
        parts_.push_back(std::move(part));
    }
}

void PartSizes::size_by_shares() {
    if (parts_.empty()) return;
    std::vector<double> shares;
    double named = 0.0;
    for (const ClassMix::Target& target : plan_.class_mix.targets) {
        shares.push_back(target.amount);
        named += target.amount;
    }
    if (has_others(plan_.class_mix)) shares.push_back(1.0 - named);
    if (plan_.class_mix.kind == Kind::uniform) shares.assign(parts_.size(), 1.0);
    if (plan_.class_mix.kind == Kind::as_pool)
        for (const Part& part : parts_)
            shares.push_back(static_cast<double>(part.candidates));
    if (plan_.class_mix.kind == Kind::catch_up) shares = lacking_shares();
    const std::vector<std::int64_t> rows = apportion(shares, plan_.batch_size - plan_.random_rows);
    for (std::size_t i = 0; i < parts_.size(); ++i)
        parts_[i].rows = rows[i];
}

std::vector<double> PartSizes::lacking_shares() const {
    std::vector<std::int64_t> candidates;
    std::vector<std::int64_t> labeled;
    for (const Part& part : parts_) {
        const auto found = labeled_.find(part.code);
        candidates.push_back(part.candidates);
        labeled.push_back(found == labeled_.end() ? 0 : found->second);
    }
    // Of classes without a candidate too: they are labeled, and none of the batch.
    for (const auto& [code, rows] : labeled_) {
        if (census_.contains(code)) continue;
        candidates.push_back(0);
        labeled.push_back(rows);
    }
    std::vector<double> shares = shares_lacking(candidates, labeled);
    shares.resize(parts_.size());
    return shares;
}

void PartSizes::check_quotas() const {
    std::int64_t sum = 0;
    for (const Part& part : parts_) {
        sum += part.rows;
        if (part.candidates >= part.rows || plan_.class_mix.kind == Kind::quota_each) continue;
        throw comm::AgreedError(
            ExitCode::bad_data,
            fmt::format("--quota: class '{}' of {} has {} candidates, fewer than the {} asked for; "
                        "lower the quota",
                        printable(part.name), plan_.class_rule->text, part.candidates, part.rows));
    }
    if (sum <= plan_.batch_size - plan_.random_rows) return;
    throw comm::AgreedError(
        ExitCode::usage,
        fmt::format("--quota: {} {} of {} classes are more than the batch's {}; raise --batch or "
                    "lower the quota",
                    sum, plan_.items.has_items() ? "items" : "rows", parts_.size(),
                    plan_.batch_size - plan_.random_rows));
}

void PartSizes::name_shortage(const Part& part, std::int64_t got) {
    note_ += fmt::format("{}class '{}' gave {} of {} {}", note_.empty() ? "" : ", ",
                         printable(part.name), got, part.rows,
                         plan_.items.has_items() ? "items" : "rows");
}

}  // namespace sluice::select
