# What scripts/gpu_check.sh measures with; in every build with CUDA, so that it always compiles.
add_executable(sluice_bench_gpu
  ${CMAKE_CURRENT_LIST_DIR}/gpu_bench.cpp ${CMAKE_CURRENT_LIST_DIR}/gpu_fill.cu
  ${CMAKE_CURRENT_LIST_DIR}/gpu_score_cases.cpp ${CMAKE_CURRENT_LIST_DIR}/gpu_select_cases.cpp
  ${CMAKE_CURRENT_LIST_DIR}/gpu_top_k_cases.cpp)
target_include_directories(sluice_bench_gpu PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_compile_options(sluice_bench_gpu PRIVATE
  $<$<COMPILE_LANGUAGE:CUDA>:--fmad=false -Werror=cross-execution-space-call>)
target_link_libraries(sluice_bench_gpu PRIVATE sluice_select sluice_comm sluice_kernels
  CUDA::cudart_static fmt::fmt Threads::Threads)
