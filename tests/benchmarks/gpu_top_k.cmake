# Cases of the best scores on the GPU, for a program that links them; in every build with CUDA, so
# that they always compile.
add_library(sluice_gpu_top_k_cases OBJECT ${CMAKE_CURRENT_LIST_DIR}/gpu_top_k_cases.cpp)
target_include_directories(sluice_gpu_top_k_cases PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(sluice_gpu_top_k_cases PRIVATE sluice_kernels sluice_core CUDA::cudart_static
  fmt::fmt Threads::Threads)
