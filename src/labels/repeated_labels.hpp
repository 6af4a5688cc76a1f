#pragma once

#include "core/types.hpp"

#include <cstdint>
#include <string>

namespace sluice::labels {

/// Counts the labels of rows that have one from before, which are passed over.
class RepeatedLabels {
  public:
    /// A label that says what the first one of its row says.
    void add_same(RowId row, const std::string& file) { count(same_, row, file); }
    /// One that says something else.
    void add_other(RowId row, const std::string& file) { count(other_, row, file); }

    /// What there is to say of them, a line; empty if there are none.
    std::string text() const;

  private:
    struct Kind {
        std::int64_t count = 0;
        RowId first_row = -1;
        std::string first_file;
    };

    static void count(Kind& kind, RowId row, const std::string& file);
    static std::string text_of(const Kind& kind);

    Kind same_;
    Kind other_;
};

}  // namespace sluice::labels
