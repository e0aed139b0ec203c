# cmake -DROOT=<source tree> -DSCRATCH=<folder> -P include_order_test.cmake
#
# First plants small trees with one fault each, to show that the fault is seen; then asks for none in
# the real tree.
cmake_minimum_required(VERSION 3.22)
include("${CMAKE_CURRENT_LIST_DIR}/include_order.cmake")

# expect_faults(<case> FILES <path> <text> … FAULTS <line>…)
function(expect_faults case)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "FILES;FAULTS")
  set(tree "${SCRATCH}/${case}")
  file(REMOVE_RECURSE "${tree}")
  while(arg_FILES)
    list(POP_FRONT arg_FILES path text)
    file(WRITE "${tree}/${path}" "${text}\n")
  endwhile()
  isoenv_find_include_faults("${tree}" faults)
  if(NOT "${faults}" STREQUAL "${arg_FAULTS}")
    message(SEND_ERROR "${case}: expected the faults\n  ${arg_FAULTS}\nand found\n  ${faults}")
  endif()
endfunction()

expect_faults(clean FILES
  src/base/text.h    "#include <string>"
  src/base/text.cc   "#include \"base/text.h\""
  src/plan/plan.h    "#include \"base/text.h\""
  harness/main.cc    "#include \"plan/plan.h\""
  src/plan/CMakeLists.txt "target_link_libraries(isoenv_plan PUBLIC isoenv_base)")

expect_faults(upward FILES
  src/base/text.h    "#include \"plan/plan.h\""
  src/plan/plan.h    ""
  src/spec/spec.cc   "#  include <netns/network.h>"
  FAULTS
  "base/text.h: includes 'plan/plan.h' against the order of layers"
  "spec/spec.cc: includes 'netns/network.h' against the order of layers")

expect_faults(unnamed FILES
  src/base/text.cc   "#include \"text.h\""
  src/plan/plan.cc   "#include \"../base/text.h\""
  src/plan/order.cc  "#include \"base/../plan/plan.h\""
  FAULTS
  "base/text.cc: includes 'text.h', which does not name its layer"
  "plan/order.cc: includes 'base/../plan/plan.h', which does not name its layer"
  "plan/plan.cc: includes '../base/text.h', which does not name its layer")

expect_faults(linked FILES
  src/plan/CMakeLists.txt "target_link_libraries(isoenv_plan PUBLIC isoenv_process)"
  FAULTS
  "plan/CMakeLists.txt: names 'isoenv_process' against the order of layers")

expect_faults(placeless FILES
  src/tools/tool.h   ""
  FAULTS
  "src/tools: has no place in the order of layers")

expect_faults(cyclic FILES
  src/env/a.h        "#include \"env/b.h\""
  src/env/b.h        "#include \"env/c.h\""
  src/env/c.h        "#include \"env/a.h\""
  src/env/leads_in.h "#include \"env/a.h\""
  FAULTS
  "cycle: env/a.h -> env/b.h -> env/c.h -> env/a.h")

isoenv_find_include_faults("${ROOT}" faults)
foreach(fault IN LISTS faults)
  message(SEND_ERROR "${fault}")
endforeach()
