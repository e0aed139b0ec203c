# Runs one case: cmake -DCASE=<folder> -DWORK_DIR=<scratch> -DSETTINGS=<file> -P run_case.cmake
#
# The case configures projects with configure_project(), asks what came of it, and states what it
# expects with the expect_…() functions. The first expectation that fails ends it.
cmake_minimum_required(VERSION 3.22)

set(CASE_DIR "${CMAKE_CURRENT_LIST_DIR}/${CASE}")
set(CTEST "${CMAKE_CTEST_COMMAND}") # of the CMake that runs the case
include("${SETTINGS}")
include("${CMAKE_CURRENT_LIST_DIR}/expect.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/project.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/running.cmake")

# Leftovers of an earlier run, and the state of the make or ctest that this is part of.
file(REMOVE_RECURSE "${WORK_DIR}")
file(MAKE_DIRECTORY "${WORK_DIR}")
foreach(variable IN ITEMS MAKEFLAGS MFLAGS GNUMAKEFLAGS CMAKE_GENERATOR CMAKE_PREFIX_PATH
        CTEST_PARALLEL_LEVEL CTEST_OUTPUT_ON_FAILURE CTEST_INTERACTIVE_DEBUG_MODE)
  unset(ENV{${variable}})
endforeach()

# Where isoenv keeps its run directories: a short path, as they hold sockets.
string(SHA1 hash "${WORK_DIR}")
string(SUBSTRING "${hash}" 0 8 hash)
set(RUNTIME_DIR "/tmp/isoenv-case-${hash}")

# A program that is there and is not run: CTest names only commands that exist.
set(STAND_IN "${WORK_DIR}/isoenv")
file(WRITE "${STAND_IN}" "#!/bin/false\n")
file(CHMOD "${STAND_IN}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)

include("${CASE_DIR}/case.cmake")
file(REMOVE_RECURSE "${RUNTIME_DIR}")
