#pragma once

namespace sluice::h5 {

/// Prepares the HDF5 library once: no automatic error printing, no filter plug-ins, and no clearing
/// up at exit. HDF5 1.10.8 crashes there once closing a file has failed (a full disk), and all we
/// open is closed and checked by then.
///
/// A program that starts MPI calls this before: a library that starts later has MPI_Finalize clear
/// it up (H5_init_library sets an attribute on MPI_COMM_SELF for that).
void start_library();

}  // namespace sluice::h5
