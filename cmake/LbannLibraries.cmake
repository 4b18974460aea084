# Libraries without a CMake package that works: found here, for the build and for who links an installed LBANN.

function(lbann_find_library target variable header)
  cmake_parse_arguments(PARSE_ARGV 3 ARG "" "" "NAMES;PATH_SUFFIXES")
  if(TARGET ${target})
    return()
  endif()
  find_library(${variable}_LIBRARY NAMES ${ARG_NAMES} REQUIRED)
  find_path(${variable}_INCLUDE_DIR ${header} PATH_SUFFIXES ${ARG_PATH_SUFFIXES} REQUIRED)
  add_library(${target} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${${variable}_LIBRARY}
                        INTERFACE_INCLUDE_DIRECTORIES ${${variable}_INCLUDE_DIR})
endfunction()

lbann_find_library(xxhash_lib XXHASH xxhash.h NAMES xxhash)
# Not find_package(dnnl): Debian's config file requires OpenCL although the CPU library does not.
lbann_find_library(dnnl_cpu DNNL dnnl.hpp NAMES dnnl)
# Version 3 of oneDNN has another interface (no operation descriptors).
find_file(DNNL_VERSION_HEADER dnnl_version.h HINTS ${DNNL_INCLUDE_DIR} PATH_SUFFIXES oneapi/dnnl NO_CACHE)
if(DNNL_VERSION_HEADER)
  file(STRINGS ${DNNL_VERSION_HEADER} lbann_dnnl_version REGEX "define DNNL_VERSION_(MAJOR|MINOR)")
  string(REGEX REPLACE ".*MAJOR +([0-9]+).*MINOR +([0-9]+).*" "\\1.\\2" lbann_dnnl_version "${lbann_dnnl_version}")
  if(NOT lbann_dnnl_version MATCHES "^2\\." OR lbann_dnnl_version VERSION_LESS 2.6)
    message(FATAL_ERROR "oneDNN ${lbann_dnnl_version} was found in ${DNNL_INCLUDE_DIR}, a 2.x from 2.6 on is needed. "
                        "Debian 12 has 2.6; elsewhere build it from https://github.com/oneapi-src/oneDNN and say "
                        "-DDNNL_LIBRARY=.../libdnnl.so -DDNNL_INCLUDE_DIR=.../include")
  endif()
endif()
# Not find_package(HDF5): it wants the C language enabled and links curl, ssl and zlib by name too.
# Debian's serial build has its own names, elsewhere there is only one. Linked through lbann_checkpoint only.
lbann_find_library(hdf5_lib HDF5 hdf5.h NAMES hdf5_serial hdf5 PATH_SUFFIXES hdf5/serial)
