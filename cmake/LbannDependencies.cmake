# What the project links; the packages that provide it are listed in cmake/packages.txt.
set(Protobuf_USE_STATIC_LIBS OFF)
find_package(Protobuf REQUIRED)
find_package(fmt REQUIRED)
find_package(ZLIB REQUIRED)
if(LBANN_FUZZ)
  # Fuzz targets are tier 1 only, and clang-16 finds OpenMP only with a package that displaces other versions.
  find_package(OpenMP COMPONENTS CXX)
  if(NOT OpenMP_CXX_FOUND)
    add_library(OpenMP::OpenMP_CXX INTERFACE IMPORTED)
  endif()
else()
  find_package(OpenMP REQUIRED COMPONENTS CXX)
endif()
find_package(Threads REQUIRED)
find_package(CLI11 REQUIRED)
find_package(ONNX CONFIG REQUIRED)  # its target onnx_proto: the schema is never compiled a second time

# Not find_package(dnnl): Debian's config file requires OpenCL although the CPU library does not.
find_library(DNNL_LIBRARY dnnl REQUIRED)
find_path(DNNL_INCLUDE_DIR dnnl.hpp REQUIRED)
add_library(dnnl_cpu UNKNOWN IMPORTED)
set_target_properties(dnnl_cpu PROPERTIES IMPORTED_LOCATION ${DNNL_LIBRARY}
                      INTERFACE_INCLUDE_DIRECTORIES ${DNNL_INCLUDE_DIR})

find_library(XXHASH_LIBRARY xxhash REQUIRED)
find_path(XXHASH_INCLUDE_DIR xxhash.h REQUIRED)
add_library(xxhash_lib UNKNOWN IMPORTED)
set_target_properties(xxhash_lib PROPERTIES IMPORTED_LOCATION ${XXHASH_LIBRARY}
                      INTERFACE_INCLUDE_DIRECTORIES ${XXHASH_INCLUDE_DIR})

# Not find_package(HDF5): it wants the C language enabled and links curl, ssl and zlib by name too.
# Debian's serial build has its own names, elsewhere there is only one. Linked through lbann_checkpoint only.
find_library(HDF5_LIBRARY NAMES hdf5_serial hdf5 REQUIRED)
find_path(HDF5_INCLUDE_DIR hdf5.h PATH_SUFFIXES hdf5/serial REQUIRED)
add_library(hdf5_lib UNKNOWN IMPORTED)
set_target_properties(hdf5_lib PROPERTIES IMPORTED_LOCATION ${HDF5_LIBRARY}
                      INTERFACE_INCLUDE_DIRECTORIES ${HDF5_INCLUDE_DIR})
