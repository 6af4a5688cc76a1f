// Sizes of the parts of a batch with several balances: a part is a cell, the candidates that all
// balances see alike.
#include "core/error.hpp"
#include "core/text.hpp"
#include "select/part_sizes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

namespace sluice::select {
namespace {

// The codes of the classes that a balance names.
std::vector<std::int64_t> named_codes(const Balance& balance, const RowClasses& classes) {
    std::vector<std::int64_t> codes;
    for (const ClassMix::Target& target : balance.mix.targets) {
        const std::string where =
            "balance by " + balance.class_by + ": '" + printable(target.name) + "'";
        const std::optional<std::int64_t> code = classes.code_of(target.name);
        if (!code)
            throw comm::AgreedError(ExitCode::bad_data,
                                    where + " can be no class of " +
                                        pool::location_text(classes.dataset(), 0) +
                                        "; name one as it is stored");
        if (std::find(codes.begin(), codes.end(), *code) != codes.end())
            throw comm::AgreedError(ExitCode::usage,
                                    where + " is a class named before; name it once");
        codes.push_back(*code);
    }
    return codes;
}

}  // namespace

// In the order of their classes: codes of cells have none that means something.
void PartSizes::add_cells() {
    const std::map<std::int64_t, RowClasses::Cell> known = classes_->cells();
    std::map<RowClasses::Cell, std::int64_t> ordered;
    for (const auto& [code, rows] : census_)
        ordered.emplace(known.at(code), code);
    std::vector<RowClasses::Cell> cells;
    std::vector<MixCell> places;
    for (const auto& [cell, code] : ordered) {
        const std::string name = classes_->name_of(code);
        parts_.push_back({code, name, 0, census_.at(code), "balance " + name});
        cells.push_back(cell);
        places.push_back({{}, census_.at(code)});
    }
    std::vector<WantedShares> wanted;
    for (std::size_t balance = 0; balance < plan_.balances.size(); ++balance)
        wanted.push_back(wanted_shares(balance, cells, places));
    const std::vector<std::int64_t> rows =
        deal_by_mixes(places, wanted, plan_.batch_size - plan_.random_rows);
    for (std::size_t i = 0; i < parts_.size(); ++i)
        parts_[i].rows = rows[i];
    name_misses(places, wanted);
}

// The shares of one balance, and of which of its classes each cell is.
WantedShares PartSizes::wanted_shares(std::size_t balance,
                                      const std::vector<RowClasses::Cell>& cells,
                                      std::vector<MixCell>& places) {
    const Balance& wanted = plan_.balances[balance];
    const RowClasses& classes = classes_->part(balance);
    std::vector<std::int64_t> codes = named_codes(wanted, classes);
    std::vector<std::string> names;
    WantedShares result{{}, wanted.weight};
    double rest = 1.0;
    for (const ClassMix::Target& target : wanted.mix.targets) {
        names.push_back(target.name);
        result.shares.push_back(target.amount);
        rest -= target.amount;
    }
    const bool is_named = wanted.mix.kind == ClassMix::Kind::balance;
    if (is_named) {
        names.emplace_back("others");
        result.shares.push_back(has_others(wanted.mix) ? rest : 0.0);
    }
    std::int64_t num_rows = 0;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::int64_t code = cells[i][balance];
        auto found = std::find(codes.begin(), codes.end(), code);
        if (found == codes.end() && !is_named) {
            found = codes.insert(codes.end(), code);
            names.push_back(classes.name_of(code));
            result.shares.push_back(0.0);
        }
        const auto place = static_cast<std::size_t>(found - codes.begin());
        places[i].classes.push_back(place);
        if (!is_named) result.shares[place] += static_cast<double>(places[i].candidates);
        num_rows += places[i].candidates;
    }
    for (double& share : result.shares) {
        if (wanted.mix.kind == ClassMix::Kind::uniform)
            share = 1.0 / static_cast<double>(result.shares.size());
        if (wanted.mix.kind == ClassMix::Kind::as_pool) share /= static_cast<double>(num_rows);
    }
    names_.push_back(std::move(names));
    return result;
}

void PartSizes::name_misses(std::span<const MixCell> cells, std::span<const WantedShares> wanted) {
    const auto rows = static_cast<double>(plan_.batch_size - plan_.random_rows);
    for (std::size_t m = 0; m < wanted.size(); ++m) {
        std::vector<std::int64_t> got(wanted[m].shares.size(), 0);
        for (std::size_t i = 0; i < cells.size(); ++i)
            got[cells[i].classes[m]] += parts_[i].rows;
        for (std::size_t c = 0; c < got.size(); ++c) {
            const double due = wanted[m].shares[c] * rows;
            if (std::abs(static_cast<double>(got[c]) - due) < 1.0) continue;
            misses_ += fmt::format("{}balance by {}: '{}' has {} {} for {:.6g}",
                                   misses_.empty() ? "" : ", ", plan_.balances[m].class_by,
                                   printable(names_[m][c]), got[c],
                                   plan_.items.has_items() ? "items" : "rows", due);
        }
    }
}

}  // namespace sluice::select
