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

include(LbannLibraries)
