#pragma once

#include "h5/chunk_index.hpp"
#include "h5/handle.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::h5 {

/// The type of a dataset's elements, as stored.
struct TypeInfo {
    enum class Kind { integer, floating, text, other } kind = Kind::other;
    std::string name;  ///< for messages: "compound", "enumeration", "16-bit float", ...
    std::int64_t bytes = 0;
    bool is_signed = false;
    bool big_endian = false;
    bool is_standard = false;   ///< IEEE binary16/32/64, or an integer without padding
    bool is_variable = false;   ///< text of variable length
    bool space_padded = false;  ///< text padded with blanks, as Fortran does
};

/// One filter of a chunked dataset, with its parameters.
struct FilterInfo {
    int id = 0;
    std::string name;
    std::vector<unsigned> parameters;
    bool available = true;  ///< built into the library
};

/// Everything about a dataset that can be known without reading its values.
struct DatasetInfo {
    enum class Space { simple, scalar, null } space = Space::simple;
    enum class Storage { compact, contiguous, chunked, other_datasets } storage = Storage::compact;

    TypeInfo type;
    std::vector<std::uint64_t> dims;
    std::int64_t offset = -1;  ///< contiguous: absolute file address, -1 if never written
    std::vector<std::uint64_t> chunk_dims;
    std::vector<FilterInfo> filters;
    bool edge_chunks_unfiltered = false;
    std::string outside_target;  ///< file that holds (part of) the data, if not this one
    std::string missing_source;  ///< dataset a virtual dataset wants and this file lacks
    std::uint64_t header_address = 0;
};

/// What a path in a file leads to.
struct Target {
    enum class Kind {
        dataset,
        group,
        named_type,
        missing,
        dangling,
        loop,
        outside,
        unknown
    } kind = Kind::missing;
    std::string path;    ///< where it was found, soft links followed
    std::string detail;  ///< dangling, loop: the link; outside: `FILE:OBJECT`
};

/// Reads a foreign file's metadata through the library. A damaged file may crash or hang it:
/// use in a child process only. No filter plug-in, external file or external link is ever opened.
class Inspector {
  public:
    explicit Inspector(const std::string& path);

    /// Notes the trouble if closing fails (core/trouble.hpp).
    ~Inspector() { file_.close_or_note(path_); }

    /// Follows soft links (up to 32), never an external one.
    Target follow(const std::string& object) const;

    /// `dataset` must lead to a dataset.
    DatasetInfo dataset_info(const std::string& dataset) const;

    /// Names in a group, at most `limit`, in the order of the group's index; names longer than
    /// 255 bytes are passed over.
    std::vector<std::string> names(const std::string& group, std::size_t limit) const;

    /// Text attribute; nothing if absent. Throws Error(bad_data) above `max_bytes`.
    std::optional<std::vector<std::string>> text_attribute(const std::string& object,
                                                           const std::string& name,
                                                           std::size_t max_bytes) const;

    /// Integer attribute of one element; nothing if absent or something else.
    std::optional<std::int64_t> integer_attribute(const std::string& object,
                                                  const std::string& name) const;

    /// The chunk that holds `row`, asked of the library (offset relative to the base in some
    /// versions of it).
    ChunkPlace library_chunk(const std::string& dataset, std::int64_t row) const;

    /// Rows [first_row, first_row + num_rows) in the file's own type and byte order, into `values`.
    void read_rows(const std::string& dataset, std::int64_t first_row, std::int64_t num_rows,
                   void* values) const;

    /// The same for text of any kind.
    std::vector<std::string> read_text(const std::string& dataset, std::int64_t first_row,
                                       std::int64_t num_rows) const;

  private:
    Handle open(const std::string& dataset) const;
    std::string where(const std::string& object) const;

    std::string path_;
    Handle file_;
};

}  // namespace sluice::h5
