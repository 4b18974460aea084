# What others find of an installed LBANN: the CMake package and a pkg-config file. Both are relocatable.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/LBANN)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/LBANNConfig.cmake.in ${CMAKE_BINARY_DIR}/package/LBANNConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/package/LBANNConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/package/LBANNConfig.cmake ${CMAKE_BINARY_DIR}/package/LBANNConfigVersion.cmake
              ${CMAKE_CURRENT_LIST_DIR}/LbannLibraries.cmake
        DESTINATION ${package_dir})
install(EXPORT LBANN NAMESPACE LBANN:: DESTINATION ${package_dir} FILE LBANNTargets.cmake)

get_filename_component(LBANN_HDF5_NAME ${HDF5_LIBRARY} NAME_WE)
string(REGEX REPLACE "^lib" "" LBANN_HDF5_NAME ${LBANN_HDF5_NAME})
file(RELATIVE_PATH LBANN_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${CMAKE_CURRENT_LIST_DIR}/lbann.pc.in ${CMAKE_BINARY_DIR}/package/lbann.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/package/lbann.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
