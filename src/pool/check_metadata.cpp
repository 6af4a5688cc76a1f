#include "pool/check_metadata.hpp"

#include "core/text.hpp"

namespace sluice::pool {
namespace {

using Severity = Finding::Severity;

std::string shape_text(const Dataset& dataset) {
    std::string text = "[" + std::to_string(dataset.num_rows);
    for (const std::int64_t extent : dataset.row_shape)
        text += ", " + std::to_string(extent);
    return text + "]";
}

std::string dataset_text(const Dataset& dataset) {
    const std::string file = dataset.parts.empty() ? "" : dataset.parts.front().path + ": ";
    return file + printable(dataset.path);
}

void add(std::vector<Finding>& findings, Severity severity, const Dataset& dataset,
         const std::string& message) {
    findings.push_back({severity, dataset_text(dataset) + ": " + message});
}

void describe_members(const Pool& pool, std::vector<Finding>& findings) {
    for (const char* role : {"committee", "predictions"}) {
        const Dataset* const dataset = pool.find(role);
        if (dataset == nullptr || dataset->row_shape.empty()) continue;
        if (dataset->row_shape.front() == 1) {
            add(findings, Severity::advice, *dataset,
                "has one member, shape is " + shape_text(*dataset) +
                    "; scores of disagreement need 2 or more");
        }
    }
    const Dataset* const committee = pool.find("committee");
    const Dataset* const single = pool.find("probabilities");
    if (committee == nullptr || single == nullptr || committee->row_shape.empty() ||
        single->row_shape.empty()) {
        return;
    }
    if (committee->row_shape.back() != single->row_shape.back()) {
        add(findings, Severity::error, *committee,
            "number of classes differs from that of probabilities (" + shape_text(*committee) +
                " and " + shape_text(*single) + "); store the same classes in both");
    }
}

// Parts of a dataset that share one piece of advice: the first of them and how many.
struct Advice {
    std::string text;
    std::int64_t parts = 0;
};

void count(Advice& advice, const std::string& text) {
    if (advice.parts++ == 0) advice.text = text;
}

void describe_layout(const Dataset& dataset, std::vector<Finding>& findings) {
    constexpr std::int64_t smallest = std::int64_t{256} << 10;
    constexpr std::int64_t largest = std::int64_t{64} << 20;
    Advice small_chunks;
    Advice large_chunks;
    Advice filtered;
    Advice library;
    for (const FilePart& part : dataset.parts) {
        const std::int64_t bytes = part.chunk_rows * dataset.row_bytes();
        const std::string where = part.path + ": " + printable(dataset.path);
        const std::string size = bytes_text(static_cast<double>(bytes));
        if (part.layout == Layout::library) {
            count(library, where + ": read through the HDF5 library, by one thread (" +
                               part.why_library + "); store it contiguous or in plain chunks");
        } else if (part.layout == Layout::chunked) {
            if (bytes < smallest && part.chunks.size() > 1) {
                count(small_chunks, where + ": chunks are small (" + size +
                                        "), which reads slowly; 1 to 8 MiB are best");
            }
            if (bytes > largest) {
                count(large_chunks, where + ": chunks are large (" + size +
                                        "), which takes memory; 1 to 8 MiB are best");
            }
            if (!part.filters.empty()) {
                count(filtered, where +
                                    ": chunks are filtered, so that reading costs processor "
                                    "time; fine if disk space matters more");
            }
        }
    }
    for (const Advice* advice : {&library, &small_chunks, &large_chunks, &filtered}) {
        if (advice->parts == 0) continue;
        const std::string files =
            advice->parts > 1 ? " (as in " + count_text(advice->parts) + " files)" : "";
        findings.push_back({Severity::advice, advice->text + files});
    }
}

}  // namespace

std::vector<Finding> describe_shapes(const Pool& pool) {
    std::vector<Finding> findings;
    describe_members(pool, findings);
    if (pool.num_rows == 0 && !pool.source.files.empty()) {
        findings.push_back(
            {Severity::advice,
             pool.source.files.front() + ": the pool has no rows; nothing can be selected"});
    }
    return findings;
}

std::vector<Finding> describe_layouts(const Pool& pool) {
    std::vector<Finding> findings;
    for (const auto& [role, dataset] : pool.datasets) {
        if (dataset.num_rows > 0) describe_layout(dataset, findings);
    }
    return findings;
}

}  // namespace sluice::pool
