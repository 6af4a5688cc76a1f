#include "pool/check_ids.hpp"

#include "core/error.hpp"
#include "core/partition.hpp"
#include "core/text.hpp"
#include "pool/id_scan.hpp"

#include <algorithm>
#include <memory>

namespace sluice::pool {
namespace {

// What one rank holds of all ids at once.
constexpr std::int64_t pass_bytes = std::int64_t{256} << 20;

// Rows that repeat the id of an earlier one; the lowest of them and the row it repeats.
struct Repeats {
    Tally tally;
    RowId earlier = Tally::no_row;

    void add(RowId row, RowId earlier_row) {
        if (row < tally.first) earlier = earlier_row;
        tally.add(row);
    }
    void merge(const Repeats& other) {
        if (other.tally.first < tally.first) earlier = other.earlier;
        tally.merge(other.tally);
    }
};

// Spreads all bits of a key over the ranks and passes (the finalizer of splitmix64).
// \source Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014
std::uint64_t mixed(std::uint64_t key) {
    key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9ULL;
    key = (key ^ (key >> 27)) * 0x94D049BB133111EBULL;
    return key ^ (key >> 31);
}

// The ends of one rank's ids, and whether they ascend: a pool whose ids all ascend has no repeats,
// and nothing needs to be exchanged to know it.
struct Ascent {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::int64_t num_ids = 0;
    std::int64_t ascends = 1;
};

bool all_ascend(const Ascent& mine, comm::Communicator& world) {
    bool ascends = true;
    const Ascent* before = nullptr;
    const std::vector<Ascent> all = world.all_gather(std::span(&mine, 1));
    for (const Ascent& share : all) {
        if (share.num_ids == 0) continue;
        ascends =
            ascends && share.ascends != 0 && (before == nullptr || before->last < share.first);
        before = &share;
    }
    return ascends;
}

Ascent scan_order(IdScan& scan, IdTallies& tallies) {
    Ascent ascent;
    scan.each_key(tallies, [&](const IdKey& key) {
        if (ascent.num_ids++ == 0)
            ascent.first = key.value;
        else if (key.value <= ascent.last)
            ascent.ascends = 0;
        ascent.last = key.value;
    });
    return ascent;
}

// Rows of one hash: those whose text is that of the lowest repeat it; the others, whose hashes
// only collide, are compared among themselves.
void compare_texts(std::vector<RowId> rows, IdScan& scan, Repeats& repeats) {
    while (rows.size() > 1) {
        const std::string lowest = scan.texts(std::span(rows).first(1)).at(0);
        std::vector<RowId> others;
        for (std::size_t begin = 1; begin < rows.size(); begin += IdScan::block_rows) {
            const auto block = std::span(rows).subspan(
                begin, std::min<std::size_t>(IdScan::block_rows, rows.size() - begin));
            const std::vector<std::string> texts = scan.texts(block);
            for (std::size_t i = 0; i < block.size(); ++i) {
                if (texts[i] == lowest)
                    repeats.add(block[i], rows[0]);
                else
                    others.push_back(block[i]);
            }
        }
        rows = std::move(others);
    }
}

void find_repeats(std::vector<IdKey> keys, IdScan& scan, Repeats& repeats) {
    std::sort(keys.begin(), keys.end());
    for (std::size_t begin = 0; begin < keys.size();) {
        std::size_t end = begin + 1;
        while (end < keys.size() && keys[end].value == keys[begin].value)
            ++end;
        if (end - begin > 1 && scan.is_text()) {
            std::vector<RowId> rows;
            for (std::size_t i = begin; i < end; ++i)
                rows.push_back(keys[i].row);
            compare_texts(std::move(rows), scan, repeats);
        } else {
            for (std::size_t i = begin + 1; i < end; ++i) {
                repeats.add(keys[i].row, keys[begin].row);
            }
        }
        begin = end;
    }
}

// Deals the keys of one pass out to the ranks, so that equal ones meet, and compares there.
void exchange_pass(std::uint64_t pass, std::uint64_t num_passes, IdScan& scan, Repeats& repeats,
                   comm::Communicator& world) {
    const auto num_ranks = static_cast<std::uint64_t>(world.size());
    std::vector<std::vector<IdKey>> parts(num_ranks);
    world.agree([&] {
        IdTallies booked_before;
        scan.each_key(booked_before, [&](const IdKey& key) {
            const std::uint64_t place = mixed(key.value);
            if (place % num_passes == pass) parts[place / num_passes % num_ranks].push_back(key);
        });
    });
    std::vector<IdKey> keys = world.all_to_all(parts);
    world.agree([&] { find_repeats(std::move(keys), scan, repeats); });
}

void combine(Tally& tally, comm::Communicator& world) {
    tally.count = world.sum(tally.count);
    tally.first = world.min(tally.first);
}

void combine(Repeats& repeats, comm::Communicator& world) {
    Repeats all;
    for (const Repeats& share : world.all_gather(std::span<const Repeats>(&repeats, 1))) {
        all.merge(share);
    }
    repeats = all;
}

std::string among(const Tally& tally) {
    return tally.count > 1 ? ", as in " + count_text(tally.count) + " rows" : "";
}

// The findings in words; reads ids again, so one rank does it.
std::vector<std::string> describe(const Dataset& ids, const IdTallies& tallies,
                                  const Repeats& repeats) {
    constexpr const char* remedy = "; ids are whole numbers from 0 to 2^63 - 1 or text";
    const RowReader reader(ids);
    RowReader::Scratch scratch;
    const auto id_at = [&](RowId row) {
        return printable(reader.gather_text(std::span(&row, 1), scratch).at(0));
    };
    const auto at = [&](RowId row) { return location_text(ids, row) + ": "; };
    std::vector<std::string> messages;
    if (const Tally& tally = tallies.unreadable; tally.count > 0) {
        std::int64_t value = 0;
        try {
            reader.gather_integers(std::span(&tally.first, 1), std::span(&value, 1), scratch);
        } catch (const Error& error) {
            messages.push_back(error.what() + among(tally));
        }
    }
    if (const Tally& tally = tallies.negative; tally.count > 0) {
        messages.push_back(at(tally.first) + "negative id (" + id_at(tally.first) + ")" +
                           among(tally) + remedy);
    }
    if (const Tally& tally = tallies.empty; tally.count > 0) {
        messages.push_back(at(tally.first) + "empty id" + among(tally) + remedy);
    }
    if (repeats.tally.count > 0) {
        const RowId row = repeats.tally.first;
        messages.push_back(at(row) + "repeats the id of " + location_text(ids, repeats.earlier) +
                           " (" + id_at(row) + "); " + count_text(repeats.tally.count) +
                           " rows repeat an id; make ids unique");
    }
    return messages;
}

}  // namespace

std::vector<std::string> check_ids(const Dataset& ids, comm::Communicator& world) {
    if (ids.num_rows == 0) return {};
    const RowRange mine = part_of_rows(ids.num_rows, world.rank(), world.size());
    std::unique_ptr<IdScan> scan;
    IdTallies tallies;
    Repeats repeats;
    Ascent ascent;
    world.agree([&] {
        scan = std::make_unique<IdScan>(ids, mine);
        ascent = scan_order(*scan, tallies);
    });
    if (ids.type == ElementType::text || !all_ascend(ascent, world)) {
        const auto bytes = static_cast<std::uint64_t>(ids.num_rows) * sizeof(IdKey);
        const std::uint64_t num_passes = 1 + bytes / (static_cast<std::uint64_t>(pass_bytes) *
                                                      static_cast<std::uint64_t>(world.size()));
        for (std::uint64_t pass = 0; pass < num_passes; ++pass) {
            exchange_pass(pass, num_passes, *scan, repeats, world);
        }
    }
    combine(tallies.unreadable, world);
    combine(tallies.negative, world);
    combine(tallies.empty, world);
    combine(repeats, world);
    std::vector<std::string> messages;
    world.agree([&] {
        if (world.is_root()) messages = describe(ids, tallies, repeats);
    });
    return messages;
}

}  // namespace sluice::pool
