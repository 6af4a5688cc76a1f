# Compiles every header of src and kernels alone, so that none leans on what another includes.
# A glob, because a forgotten header is just what this has to find.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
  ${PROJECT_SOURCE_DIR}/src/*.hpp ${PROJECT_SOURCE_DIR}/kernels/*.hpp)
if(NOT SLUICE_HAVE_CUDA)
  list(FILTER headers EXCLUDE REGEX "^kernels/cuda/")
endif()

set(sources)
foreach(header ${headers})
  string(REGEX REPLACE "^src/" "" include_path ${header})
  set(source ${CMAKE_CURRENT_BINARY_DIR}/headers_alone/${header}.cpp)
  # Twice: it must also guard itself.
  file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${include_path}\"\n#include \"${include_path}\"\n")
  list(APPEND sources ${source})
endforeach()

add_library(sluice_headers_alone OBJECT ${sources})
target_link_libraries(sluice_headers_alone PRIVATE sluice_flags MPI::MPI_C hdf5::hdf5
  Boost::program_options nlohmann_json::nlohmann_json fmt::fmt
  $<$<BOOL:${SLUICE_HAVE_CUDA}>:CUDA::cudart_static>)
# Only the compiler's front end matters here.
target_compile_options(sluice_headers_alone PRIVATE -O0 -g0)
if(SLUICE_SANITIZE)
  set_target_properties(sluice_headers_alone PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
