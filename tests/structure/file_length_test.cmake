# cmake -DROOT=<source tree> -P file_length_test.cmake
#
# A file that people read ends before its 501st line.
cmake_minimum_required(VERSION 3.22)

set(limit 500)
set(patterns)
foreach(folder IN ITEMS src harness client cmake tests samples bench)
  foreach(suffix IN ITEMS h cc cmake js mjs)
    list(APPEND patterns "${ROOT}/${folder}/*.${suffix}")
  endforeach()
endforeach()
file(GLOB_RECURSE files ${patterns} "${ROOT}/docs/*.md")
file(GLOB top "${ROOT}/*.md" "${ROOT}/CMakeLists.txt" "${ROOT}/bootstrap")
list(APPEND files ${top})
if(NOT files)
  message(FATAL_ERROR "no files found under '${ROOT}'")
endif()

foreach(file IN LISTS files)
  file(READ "${file}" text)
  string(REGEX REPLACE "[^\n]+" "" newlines "${text}")
  string(LENGTH "${newlines}" lines)
  if(lines GREATER limit)
    message(SEND_ERROR "${file}: ${lines} lines; split it (the limit is ${limit})")
  endif()
endforeach()
