#pragma once

#include "comm/communicator.hpp"
#include "h5/output_file.hpp"
#include "pool/made_rows.hpp"
#include "pool/make.hpp"

#include <string>
#include <vector>

namespace sluice::pool {

/// The file of a pool being made: it has a temporary name beside its target until publish(), and
/// is removed if that is never reached.
class MadeFile {
  public:
    /// Rank 0 makes sure that nothing has the target's name. Throws AgreedError(cannot_create).
    /// \collective
    MadeFile(const std::string& target, comm::Communicator& world);
    ~MadeFile();
    MadeFile(const MadeFile&) = delete;
    MadeFile& operator=(const MadeFile&) = delete;

    /// The temporary name; the same on all ranks.
    const std::string& path() const { return path_; }

    /// A message about the temporary file as one about the target, which is the name users know.
    std::string as_target(std::string message) const;

    /// Gives the file, which all ranks have written and synced, its name. Throws AgreedError.
    /// \collective
    void publish(comm::Communicator& world);

  private:
    std::string target_;
    std::string path_;
    bool owned_ = false;  // by this rank, which removes the file if it was not published
};

/// Rows of a chunk in the file: a chunk is never larger than the pool. 0 = contiguous.
std::int64_t made_chunk_rows(const MakeOptions& options);

/// The datasets of a made pool in a new file, with their attributes and the pool's provenance,
/// without values. For one rank; close() the datasets before the file.
std::vector<h5::OutputDataset> create_datasets(h5::OutputFile& file, const MadeRows& rows,
                                               const MakeOptions& options);

}  // namespace sluice::pool
