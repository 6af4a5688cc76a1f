#include "oracle/rules.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <iterator>
#include <limits>
#include <regex>

namespace sluice::oracle {
namespace {

constexpr std::size_t max_line_bytes = std::size_t{64} << 10;
constexpr std::int64_t max_text_bytes = std::int64_t{64} << 20;

// A pattern like `.*x` needs the square of a line's length: enough for lines of usual length, a few
// seconds at most for large files.
std::int64_t max_steps(std::size_t num_bytes) {
    const auto bytes = static_cast<std::int64_t>(num_bytes);
    return std::min(1'000'000 + 64 * bytes, 50'000'000 + 2 * bytes);
}

// libstdc++'s default matcher recurses once a character, which overflows the stack on long lines,
// and takes exponential time on some patterns; its other one does neither, at the price of back
// references.
#ifdef __GLIBCXX__
constexpr auto regex_flags = std::regex::ECMAScript | std::regex_constants::__polynomial;
#else
constexpr auto regex_flags = std::regex::ECMAScript;
#endif

// Walks over text and counts the steps, to bound what a search may cost.
class CountedText {
  public:
    using iterator_category = std::bidirectional_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    CountedText() = default;
    CountedText(const char* at, std::int64_t* steps_left) : at_(at), steps_left_(steps_left) {}

    reference operator*() const { return *at_; }
    CountedText& operator++() {
        if (--*steps_left_ < 0) throw std::regex_error(std::regex_constants::error_complexity);
        ++at_;
        return *this;
    }
    CountedText operator++(int) {
        CountedText before = *this;
        ++*this;
        return before;
    }
    CountedText& operator--() {
        --at_;
        return *this;
    }
    CountedText operator--(int) {
        CountedText before = *this;
        --*this;
        return before;
    }
    bool operator==(const CountedText& other) const { return at_ == other.at_; }

  private:
    const char* at_ = nullptr;
    std::int64_t* steps_left_ = nullptr;
};

// Plain characters every match begins with: lines without them need no search.
std::string literal_beginning(std::string_view expression) {
    if (expression.find('|') != std::string_view::npos) return "";
    if (expression.starts_with('^')) expression.remove_prefix(1);
    const std::size_t end = std::min(expression.find_first_of("^$\\.*+?()[]{}"), expression.size());
    const bool is_repeated = end < expression.size() &&
                             std::string_view("*?{").find(expression[end]) != std::string::npos;
    return std::string(expression.substr(0, is_repeated && end > 0 ? end - 1 : end));
}

OracleText unreadable(const std::string& file, const std::string& why) {
    return {std::nullopt, file + " " + why, false};
}

// Opens each folder on the way itself: a link anywhere would lead out of the scratch directory.
FileDescriptor open_below(const std::string& directory, std::string_view file) {
    FileDescriptor folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), directory);
    while (folder.valid()) {
        const std::size_t slash = file.find('/');
        const std::string name(file.substr(0, slash));
        const bool is_last = slash == std::string_view::npos;
        const int flags = is_last ? O_RDONLY | O_NONBLOCK : O_RDONLY | O_DIRECTORY;
        FileDescriptor next(::openat(folder.get(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC),
                            directory + "/" + name);
        if (is_last) return next;
        file.remove_prefix(slash + 1);
        folder = std::move(next);
    }
    return folder;
}

// Why it could not be opened, where the oracle may be to blame. Other errors are of this machine,
// and say nothing about the item.
OracleText unopened(const std::string& scratch, const std::string& file, int error_number) {
    switch (error_number) {
        case ENOENT:
            return {std::nullopt, "no file " + file, true};
        case ELOOP:
            return unreadable(file, "is a link");
        case ENOTDIR:
            return unreadable(file, "is not below a folder");
        case EACCES:
        case ENAMETOOLONG:
        case ENXIO:
            return unreadable(file, "cannot be opened");
        default:
            throw system_error(scratch + "/" + file, "cannot open", error_number);
    }
}

OracleText scratch_text(const std::string& scratch, const std::string& file) {
    const FileDescriptor descriptor = open_below(scratch, file);
    if (!descriptor.valid()) return unopened(scratch, file, errno);
    const std::string path = scratch + "/" + file;
    struct stat status = {};
    if (::fstat(descriptor.get(), &status) != 0) throw system_error(path, "cannot examine", errno);
    if (!S_ISREG(status.st_mode)) return unreadable(file, "is not a regular file");
    if (status.st_uid != ::geteuid()) return unreadable(file, "belongs to somebody else");
    if (status.st_size > max_text_bytes) return unreadable(file, "is larger than 64 MiB");
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    try {
        read_exactly(descriptor, std::as_writable_bytes(std::span(text)), 0, path);
    } catch (const Error& error) {
        if (error.code() != ExitCode::bad_data) throw;
        return unreadable(file, "is being cut off");
    }
    return {std::move(text), "", false};
}

}  // namespace

std::optional<double> real_number(std::string_view text) {
    std::string plain(text);
    if (plain.starts_with('+') && !plain.starts_with("+-")) plain.erase(0, 1);
    const bool is_word = plain.find_first_of("nN") != std::string::npos;
    if (!is_word) {
        for (char& character : plain) {
            if (character == 'D' || character == 'd') character = 'e';
        }
    }
    double value = 0.0;
    const char* end = plain.data() + plain.size();
    const auto [stop, error] = std::from_chars(plain.data(), end, value);
    if (stop != end || plain.empty()) return std::nullopt;
    if (error == std::errc::result_out_of_range) return std::numeric_limits<double>::infinity();
    if (error != std::errc()) return std::nullopt;
    return value;
}

struct LinePattern::State {
    std::regex regex;
    std::string beginning;
};

LinePattern::LinePattern(const std::string& expression, int num_groups, const std::string& where)
    : state_(std::make_unique<State>()) {
    try {
        state_->regex = std::regex(expression, regex_flags);
    } catch (const std::regex_error& error) {
        const bool is_backref = error.code() == std::regex_constants::error_complexity;
        throw Error(ExitCode::bad_config,
                    fmt::format("{}: not a regular expression ({}){}", where, printable(expression),
                                is_backref ? "; back references are not available"
                                           : "; put a backslash before signs that stand for "
                                             "themselves"));
    }
    require(static_cast<int>(state_->regex.mark_count()) >= num_groups, ExitCode::bad_config,
            fmt::format("{}: has no group ({}); put parentheses around the number, as in "
                        "ENERGY\\s+(\\S+)",
                        where, printable(expression)));
    state_->beginning = literal_beginning(expression);
}

LinePattern::~LinePattern() = default;
LinePattern::LinePattern(LinePattern&&) noexcept = default;

std::optional<std::string> LinePattern::find(std::string_view text, Match which) const {
    using Search = std::regex_iterator<CountedText>;
    std::optional<std::string> found;
    std::int64_t steps_left = max_steps(text.size());
    const std::size_t group = state_->regex.mark_count() > 0 ? 1 : 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
        const std::string_view line = text.substr(0, std::min(end, max_line_bytes));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.find(state_->beginning) == std::string_view::npos) continue;
        try {
            const CountedText first(line.data(), &steps_left);
            const CountedText last(line.data() + line.size(), &steps_left);
            for (Search match(first, last, state_->regex); match != Search(); ++match) {
                if ((*match)[group].matched) found = (*match)[group].str();
                if (found && which == Match::first) return found;
            }
        } catch (const std::regex_error&) {
            throw Error(ExitCode::bad_data, "the pattern takes too many steps");
        }
    }
    return found;
}

OracleText oracle_text(const std::string& file, const ProcessOutcome& outcome,
                       const std::string& scratch) {
    if (file == "stdout") return {outcome.output, "", false};
    if (file == "stderr") return {outcome.log, "", false};
    return scratch_text(scratch, file);
}

std::optional<Complaint> broken_check(const Spec& spec, const ProcessOutcome& outcome,
                                      const std::string& scratch,
                                      const std::function<bool(const CheckRule&)>& counts) {
    for (const CheckRule& rule : spec.checks) {
        if (!counts(rule)) continue;
        const bool is_required = rule.kind == CheckRule::Kind::required;
        const OracleText text = oracle_text(rule.file, outcome, scratch);
        if (!text.text) {
            // Some codes write a file only when they fail.
            if (!is_required && text.is_absent) continue;
            return Complaint{rule.status, rule.name, text.problem};
        }
        const LinePattern pattern(rule.pattern, 0, spec.path);
        try {
            const bool is_there = pattern.find(*text.text, LinePattern::Match::first).has_value();
            if (is_there != is_required) return Complaint{rule.status, rule.name, ""};
        } catch (const Error& error) {
            return Complaint{queue::ItemStatus::oracle_error,
                             fmt::format("check {}: {}", rule.name, error.what()), ""};
        }
    }
    return std::nullopt;
}

}  // namespace sluice::oracle
