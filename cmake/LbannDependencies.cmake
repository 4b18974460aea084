# What the project links; the packages that provide it are listed in cmake/packages.txt.
set(Protobuf_USE_STATIC_LIBS OFF)
# Versions: the oldest that were tried, those of Debian 12.
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
  message(FATAL_ERROR "g++ ${CMAKE_CXX_COMPILER_VERSION} was found, 12 or newer is needed (C++20); "
                      "-DCMAKE_CXX_COMPILER=... names another one")
endif()
find_package(Protobuf 3.21 REQUIRED)
find_package(fmt 9 REQUIRED)
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
find_package(CLI11 2.1 REQUIRED)
find_package(ONNX CONFIG REQUIRED)  # its target onnx_proto: the schema is never compiled a second time

include(LbannLibraries)
