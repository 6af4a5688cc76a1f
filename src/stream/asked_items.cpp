#include "stream/asked_items.hpp"

#include "core/error.hpp"
#include "core/philox.hpp"
#include "stream/observation.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <span>

namespace sluice::stream {
namespace {

constexpr std::uint32_t sample_draws = 1;  // beside the policy's own numbers

void append_numbers(const std::vector<double>& numbers, const char* what, RowId number,
                    std::vector<double>& all, std::int64_t& width) {
    if (number == 0 || all.empty()) width = std::ssize(numbers);
    require(std::ssize(numbers) == width, ExitCode::bad_data,
            fmt::format("item {}: has {} {} where items before have {}; give as many of each",
                        number, numbers.size(), what, width));
    all.insert(all.end(), numbers.begin(), numbers.end());
}

template <typename Value>
void write_values(h5::OutputFile& file, const std::string& name, const std::vector<Value>& values) {
    if (values.empty()) return;
    file.write_dataset(name, std::span<const Value>(values), {std::ssize(values)});
}

void write_named(h5::OutputFile& file, const std::string& group, const std::vector<RowId>& numbers,
                 const std::vector<std::string>& ids, const std::vector<double>& certainties) {
    if (numbers.empty()) return;
    write_values(file, group + "/item", numbers);
    file.write_text_dataset(group + "/id", ids, h5::TextStorage::fixed);
    write_values(file, group + "/certainty", certainties);
}

}  // namespace

void AskedItems::add(RowId number, const Observation& observation, double certainty) {
    if (numbers.empty()) dim = num_inputs = 0;
    if (numbers.empty()) features.clear();
    if (numbers.empty()) inputs.clear();
    append_numbers(observation.features, "features", number, features, dim);
    append_numbers(observation.inputs, "inputs", number, inputs, num_inputs);
    numbers.push_back(number);
    ids.push_back(observation.id.empty() ? std::to_string(number) : observation.id);
    certainties.push_back(certainty);
}

void SkippedSample::offer(std::uint64_t seed, std::int64_t capacity, RowId number,
                          const std::string& id, double certainty) {
    const std::int64_t place = num_skipped++;
    std::int64_t slot = place;
    if (place >= capacity) {
        const Philox4 words = random_words(seed, RandomPurpose::stream_policy, sample_draws,
                                           static_cast<std::uint64_t>(number), 0);
        const std::uint64_t bits = (std::uint64_t{words.word[0]} << 32) | words.word[1];
        slot = static_cast<std::int64_t>(bits % static_cast<std::uint64_t>(place + 1));
        if (slot >= capacity) return;
    } else {
        numbers.emplace_back();
        ids.emplace_back();
        certainties.emplace_back();
    }
    const auto at = static_cast<std::size_t>(slot);
    numbers[at] = number;
    ids[at] = id.empty() ? std::to_string(number) : id;
    certainties[at] = certainty;
}

void write_asked(h5::OutputFile& file, const AskedItems& items) {
    write_named(file, "asked", items.numbers, items.ids, items.certainties);
    write_values(file, "asked/features", items.features);
    write_values(file, "asked/inputs", items.inputs);
}

AskedItems read_asked(const h5::InputFile& file) {
    AskedItems items;
    if (!file.has("asked/item")) return items;
    items.numbers = file.integers("asked/item");
    items.ids = file.text("asked/id");
    items.certainties = file.doubles("asked/certainty");
    if (file.has("asked/features")) items.features = file.doubles("asked/features");
    if (file.has("asked/inputs")) items.inputs = file.doubles("asked/inputs");
    items.dim = std::ssize(items.features) / items.size();
    items.num_inputs = std::ssize(items.inputs) / items.size();
    return items;
}

void write_skipped(h5::OutputFile& file, const SkippedSample& sample) {
    if (sample.num_skipped > 0) file.set_attribute("/", "skipped", sample.num_skipped);
    write_named(file, "skipped", sample.numbers, sample.ids, sample.certainties);
}

SkippedSample read_skipped(const h5::InputFile& file) {
    SkippedSample sample;
    sample.num_skipped = file.attribute_integer("/", "skipped").value_or(0);
    if (!file.has("skipped/item")) return sample;
    sample.numbers = file.integers("skipped/item");
    sample.ids = file.text("skipped/id");
    sample.certainties = file.doubles("skipped/certainty");
    return sample;
}

}  // namespace sluice::stream
