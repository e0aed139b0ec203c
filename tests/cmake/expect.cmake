# Expectations of a case. Each ends the case with a message that shows both sides.

function(expect_equal what actual expected)
  if(NOT "${actual}" STREQUAL "${expected}")
    message(FATAL_ERROR "${what} is\n  ${actual}\nexpected\n  ${expected}")
  endif()
endfunction()

function(expect_contains what text part)
  string(FIND "${text}" "${part}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${what} does not contain\n  ${part}\nIt is:\n${text}")
  endif()
endfunction()

function(expect_lacks what text part)
  string(FIND "${text}" "${part}" at)
  if(NOT at EQUAL -1)
    message(FATAL_ERROR "${what} contains\n  ${part}\nIt is:\n${text}")
  endif()
endfunction()

function(expect_matches what text pattern)
  if(NOT "${text}" MATCHES "${pattern}")
    message(FATAL_ERROR "${what} does not match\n  ${pattern}\nIt is:\n${text}")
  endif()
endfunction()

function(expect_greater what actual bound)
  if(NOT "${actual}" GREATER "${bound}")
    message(FATAL_ERROR "${what} is ${actual}, expected more than ${bound}")
  endif()
endfunction()
