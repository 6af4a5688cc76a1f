#include "cli/commands.hpp"
#include "cli/launch.hpp"
#include "cli/pool_options.hpp"
#include "core/text.hpp"
#include "pool/make.hpp"

#include <filesystem>
#include <optional>
#include <system_error>

namespace sluice::cli {
namespace {

constexpr std::uint64_t max_rows = std::uint64_t{1} << 48;
constexpr std::uint64_t max_width = 1 << 24;

std::vector<OptionSpec> shape_options() {
    using Need = OptionSpec::Need;
    return {
        {.name = "rows",
         .value_name = "N",
         .summary = "how many rows to make",
         .unit = "rows",
         .need = Need::required},
        {.name = "dim",
         .value_name = "D",
         .summary = "width of features [N,D]; 0 = none; kinds with inputs have one of their own, "
                    "the others 64 unless said"},
        {.name = "classes",
         .value_name = "C",
         .summary = "classes of probabilities [N,C] and committee [N,M,C]; 0 = none, as kinds "
                    "with inputs have unless said, the others 10"},
        {.name = "members",
         .value_name = "M",
         .summary = "members of committee [N,M,C] and predictions [N,M,T]; 0 = none",
         .default_text = "0"},
        {.name = "outputs",
         .value_name = "T",
         .summary = "components of predictions [N,M,T]; 0 = none",
         .default_text = "0"},
        {.name = "logits",
         .value_name = "",
         .summary = "store logits in place of probabilities",
         .kind = OptionSpec::Kind::flag},
    };
}

std::vector<OptionSpec> file_options() {
    return {
        {.name = "dtype",
         .value_name = "TYPE",
         .summary = "stored element type of all but inputs, which are f64",
         .default_text = "f32",
         .choices = {{.name = "f16", .aliases = {"float16"}},
                     {.name = "f32", .aliases = {"float32"}},
                     {.name = "f64", .aliases = {"float64"}}}},
        {.name = "chunk-rows",
         .value_name = "R",
         .summary = "rows of a chunk; 0 = contiguous",
         .unit = "rows",
         .default_text = "0"},
        {.name = "deflate",
         .value_name = "LEVEL",
         .summary = "compress chunks (shuffle, deflate 1 to 9, fletcher32); 0 = no",
         .default_text = "0"},
        {.name = "seed",
         .value_name = "S",
         .summary = "seed of the content, 0 to 2^64-1",
         .default_text = "0"},
        {.name = "out",
         .value_name = "FILE",
         .summary = "the pool file to write",
         .need = OptionSpec::Need::required},
        config_option(),
    };
}

CommandSpec make_spec() {
    CommandSpec spec;
    spec.name = "pool make";
    spec.summary = "make an example pool";
    spec.usage = "KIND --rows N --out FILE [OPTIONS]";
    spec.details =
        "Writes a pool whose rows depend on kind, seed and shape alone, never on the number of "
        "ranks. Kinds with inputs hold cases for a simulation (see jobs/examples), drawn from a "
        "low-discrepancy sequence. The file appears under its name when it is complete.";
    spec.positional = "kind";
    spec.options = {{.name = "kind",
                     .value_name = "KIND",
                     .summary = "what the features look like",
                     .need = OptionSpec::Need::required,
                     .choices = choices_of(pool::pool_kinds())}};
    for (const auto& group : {shape_options(), file_options()}) {
        spec.options.insert(spec.options.end(), group.begin(), group.end());
    }
    return spec;
}

pool::ElementType element_type(const std::string& name) {
    if (name == "f16") return pool::ElementType::float16;
    return name == "f64" ? pool::ElementType::float64 : pool::ElementType::float32;
}

void check_shapes(const Options& options, const pool::MakeOptions& asked) {
    const pool::MakeOptions make = pool::completed(asked);
    if (make.classes == 1) options.fail("classes", "one class decides nothing (1); give 2 or more");
    if (make.members > 0 && make.classes == 0 && make.outputs == 0) {
        options.fail("members", "a committee needs classes or outputs; add --classes or --outputs");
    }
    if (make.outputs > 0 && make.members == 0) {
        options.fail("outputs", "predictions need a committee; add --members M");
    }
    if (*make.dim + *make.classes + make.outputs == 0) {
        options.fail("dim", "the pool would hold nothing (0); give --dim, --classes or --outputs");
    }
    if (make.deflate_level > 0 && make.chunk_rows == 0) {
        options.fail("deflate", "only chunks can be compressed; add --chunk-rows R");
    }
}

std::optional<std::int64_t> given_count(const Options& options, const std::string& name) {
    if (!options.has(name)) return std::nullopt;
    return options.count(name, {0, max_width});
}

pool::MakeOptions make_options(const Options& options) {
    pool::MakeOptions make;
    make.kind = options.text("kind");
    make.path = options.text("out");
    make.num_rows = options.count("rows", {0, max_rows});
    make.seed = options.seed("seed");
    make.dim = given_count(options, "dim");
    make.classes = given_count(options, "classes");
    make.members = options.count("members", {0, max_width});
    make.outputs = options.count("outputs", {0, max_width});
    make.logits = options.flag("logits");
    make.type = element_type(options.text("dtype"));
    make.chunk_rows = options.count("chunk-rows", {0, max_rows});
    make.deflate_level = static_cast<int>(options.count("deflate", {0, 9}));
    check_shapes(options, make);
    return make;
}

std::string made_text(const pool::MakeOptions& make) {
    std::error_code unknown;
    const auto bytes = static_cast<double>(std::filesystem::file_size(make.path, unknown));
    return "made " + printable(make.path) + ": " + count_text(make.num_rows) + " rows of " +
           make.kind + (unknown ? "" : ", " + bytes_text(bytes)) + "\n";
}

}  // namespace

Command pool_make_command() {
    return {make_spec(), [](const Options& options) {
                const pool::MakeOptions make = make_options(options);
                return [make](comm::Communicator& world) {
                    pool::make_pool(make, world);
                    if (world.is_root()) print_result(made_text(make));
                };
            }};
}

}  // namespace sluice::cli
