#pragma once

/// Marks a function that is compiled for the host and, under nvcc, for the device as well.
#ifdef __CUDACC__
#define SLUICE_HD __host__ __device__
#else
#define SLUICE_HD
#endif
