# What "cmake --install" lays down: the program, the CMake package and the schema of specs.
#
# Everything CMake reads goes under share/: it is the same for every architecture, and a consumer
# without languages does not know its library directory.

option(ISOENV_INSTALL "Install IsoEnv with the project that it is part of"
  ${PROJECT_IS_TOP_LEVEL})
if(NOT ISOENV_INSTALL)
  return()
endif()

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(_isoenv_package_dir "${CMAKE_INSTALL_DATADIR}/cmake/IsoEnv")

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/IsoEnvConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/IsoEnvConfig.cmake" INSTALL_DESTINATION "${_isoenv_package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/IsoEnvConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)

install(TARGETS isoenv isoenv_client isoenv_gtest EXPORT IsoEnvTargets
  RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}"
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/client/include/isoenv"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
install(FILES
  "${PROJECT_SOURCE_DIR}/client/consumer/executable.cc"
  "${PROJECT_SOURCE_DIR}/client/consumer/gtest_main.cc"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/isoenv/client")
install(EXPORT IsoEnvTargets NAMESPACE isoenv:: DESTINATION "${_isoenv_package_dir}")
install(FILES "${PROJECT_BINARY_DIR}/IsoEnvConfig.cmake"
  "${PROJECT_BINARY_DIR}/IsoEnvConfigVersion.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/IsoEnv.cmake" DESTINATION "${_isoenv_package_dir}")
install(FILES
  "${CMAKE_CURRENT_LIST_DIR}/isoenv/attach.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/isoenv/attached.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/isoenv/discover.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/isoenv/json.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/isoenv/ready.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/isoenv/registry.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/isoenv/service.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/isoenv/tests.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/isoenv/text.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/isoenv/words.cmake"
  DESTINATION "${_isoenv_package_dir}/isoenv")
install(FILES "${PROJECT_SOURCE_DIR}/schema/isoenv.schema.json"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/isoenv")

unset(_isoenv_package_dir)
