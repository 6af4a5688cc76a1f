#include "cli/build_text.hpp"

#include "core/version.hpp"

namespace sluice::cli {

std::string build_text() {
    return "sluice " + version_text() +
           "\ncompiler  " SLUICE_COMPILER "\nHDF5      " SLUICE_HDF5 "\nMPI       " SLUICE_MPI
           "\nCUDA      " SLUICE_CUDA_BUILT "\n";
}

}  // namespace sluice::cli
