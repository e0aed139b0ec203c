# What the public functions understand: the words of each, the parser, and the checks of single
# values. Every fault is fatal at once and names the function, the word and the nearest right one.
#
# cmake_parse_arguments() is not used: it hides a misspelt keyword among the values before it,
# knows no repeated keyword, and its lists glue words around "[".

# The words of isoenv_add_<what>(), each as WORD=kind. Kinds: "flag" takes no value, "one" exactly
# one, "many" at least one, "text" at least one of any form; with "+" the word may be repeated.
# A word is its key of the JSON spec in upper case; READY_<KIND> is an entry of "ready".
function(_isoenv_words out what)
  if(what STREQUAL "environment")
    set(words ENV=many PRESTART=flag)
  elseif(what STREQUAL "test")
    set(words NAME=one COMMAND=text SERVICES=many ENVIRONMENT=one SCOPE=one WORKING_DIRECTORY=one
        TIMEOUT=one ENV=many LABELS=many CONFIGURATIONS=many FAULTS=many EXPECT_EXIT=many
        ALLOW_FAILURE=many)
  elseif(what STREQUAL "attachment")
    set(words TESTS=many SERVICES=many ENVIRONMENT=one SCOPE=one DIRECTORY=one FAULTS=many
        EXPECT_EXIT=many ALLOW_FAILURE=many)
  elseif(what MATCHES "^discovery_(.+)$")
    _isoenv_framework_words(options ${CMAKE_MATCH_1})
    set(words SERVICES=many ENVIRONMENT=one SCOPE=one FRAMEWORK=one TIMEOUT=one ENV=many LABELS=many
        FAULTS=many EXPECT_EXIT=many ALLOW_FAILURE=many PROPERTIES=many ${options})
  else()
    set(words ENVIRONMENT=one COMMAND=text LAUNCHER=text WORKING_DIRECTORY=one PORTS=many ENV=many ENV_MODE=one
        SECRET_ENV=many USER=one DEPENDS=many READY_TCP=many+ READY_UDP=many+ READY_HTTP=many+
        READY_LOG=text+ READY_EXEC=text+ READY_FILE=many+ READY_UNIX=many+ READY_NOTIFY=flag
        READY_TIMEOUT=one STOP_SIGNAL=one STOP_TIMEOUT=one LOG_LIMIT=one)
    if(what STREQUAL "service")
      list(APPEND words ALIASES=many PUBLISH=many LOCALHOST=many RESTART=one EXPECT_EXIT=many
           ALLOW_FAILURE=flag)
    else()
      list(APPEND words READY_EXIT=one)
    endif()
  endif()
  set(${out} ${words} PARENT_SCOPE)
endfunction()

# Stops with a message in the name of <caller>, such as isoenv_add_service(user).
function(_isoenv_fail caller message)
  message(FATAL_ERROR "${caller}: ${message}")
endfunction()

# Sorts <words> (encoded) into arg_<WORD> of the calling scope: a list of encoded values, TRUE for
# a given flag, unset when the word is not there. Probes go into arg_READY in the order written,
# each an encoded list of its own.
function(_isoenv_parse caller what words)
  _isoenv_words(grammar ${what})
  set(known "")
  foreach(entry IN LISTS grammar)
    string(REGEX MATCH "^([A-Z_]+)=([a-z]+)(\\+?)$" entry "${entry}")
    list(APPEND known ${CMAKE_MATCH_1})
    set(kind_${CMAKE_MATCH_1} ${CMAKE_MATCH_2})
    set(repeats_${CMAKE_MATCH_1} "${CMAKE_MATCH_3}")
    unset(values_${CMAKE_MATCH_1})
  endforeach()

  # A word of the other kind of process is not a value either.
  set(foreign "")
  if(what MATCHES "^(service|task)$")
    set(other_service task)
    set(other_task service)
    _isoenv_words(foreign ${other_${what}})
    list(TRANSFORM foreign REPLACE "=.*" "")
    list(REMOVE_ITEM foreign ${known})
  endif()

  set(given "")
  set(probes "")
  set(current "")
  foreach(word IN LISTS words ITEMS "")
    if(word STREQUAL "" OR word IN_LIST known)
      if(NOT current STREQUAL "")
        if(NOT kind_${current} STREQUAL "flag" AND values STREQUAL "")
          _isoenv_fail("${caller}" "\"${current}\" needs a value")
        endif()
        if(current MATCHES "^READY_" AND NOT current STREQUAL "READY_TIMEOUT")
          _isoenv_encode(probe "${current};${values}")
          list(APPEND probes "${probe}")
        endif()
        set(values_${current} "${values}")
      endif()
      if(word STREQUAL "")
        break()
      endif()
      if(word IN_LIST given AND repeats_${word} STREQUAL "")
        _isoenv_fail("${caller}" "\"${word}\" is given twice")
      endif()
      list(APPEND given ${word})
      set(current ${word})
      set(values "")
    elseif(word IN_LIST foreign)
      _isoenv_fail("${caller}" "a ${what} has no \"${word}\"")
    else()
      _isoenv_decode(plain "${word}")
      set(count 0)
      if(NOT current STREQUAL "")
        list(LENGTH values count)
      endif()
      if(current STREQUAL "" OR kind_${current} STREQUAL "flag"
         OR (kind_${current} STREQUAL "one" AND count EQUAL 1))
        _isoenv_hint(hint "${plain}" "${known}")
        _isoenv_fail("${caller}" "unknown word \"${plain}\"${hint}")
      endif()
      if(kind_${current} STREQUAL "text" AND count GREATER 0)
        _isoenv_refuse_misspelt("${caller}" ${current} "${plain}" "${known}")
      endif()
      list(APPEND values "${word}")
    endif()
  endforeach()

  foreach(word IN LISTS known)
    if(NOT word IN_LIST given)
      unset(arg_${word} PARENT_SCOPE)
    elseif(kind_${word} STREQUAL "flag")
      set(arg_${word} TRUE PARENT_SCOPE)
    else()
      set(arg_${word} "${values_${word}}" PARENT_SCOPE)
    endif()
  endforeach()
  set(arg_READY "${probes}" PARENT_SCOPE)
endfunction()

# A command may contain any word, so a misspelt keyword after it would be passed to the program. A
# word in capitals that is nearly a keyword is taken for one; $<1:WORD> says that it is meant.
function(_isoenv_refuse_misspelt caller current word known)
  string(LENGTH "${word}" length)
  if(length LESS 4 OR NOT word MATCHES "^[A-Z][A-Z_]+$")
    return()
  endif()
  foreach(keyword IN LISTS known)
    string(FIND "${keyword}" "${word}" at)
    set(distance 2)
    if(at EQUAL 0)
      set(distance 1)
    else()
      string(LENGTH "${keyword}" keyword_length)
      math(EXPR difference "${keyword_length} - ${length}")
      if(difference GREATER -2 AND difference LESS 2)
        _isoenv_edit_distance(distance "${word}" "${keyword}")
      endif()
    endif()
    if(distance LESS 2)
      _isoenv_fail("${caller}" "unknown word \"${word}\" after ${current}, did you mean \
\"${keyword}\"? (A value spelt like this is written \"$<1:${word}>\".)")
    endif()
  endforeach()
endfunction()

# <word> was given <value>, which is not <expected>; it may be a misspelt keyword of its own.
function(_isoenv_bad_value caller what word value expected)
  _isoenv_words(grammar ${what})
  list(TRANSFORM grammar REPLACE "=.*" "")
  set(hint "")
  if(value MATCHES "^[A-Z_]+$")
    _isoenv_nearest(nearest "${value}" "${grammar}")
    if(NOT nearest STREQUAL "")
      set(hint ", did you mean the word \"${nearest}\"?")
    endif()
  endif()
  if(value MATCHES "\\$<.*>")
    set(hint "; generator expressions are not evaluated here")
  endif()
  _isoenv_fail("${caller}" "${word}: \"${value}\" is not ${expected}${hint}")
endfunction()

# Every environment and port name is a DNS label.
function(_isoenv_check_name caller what word value)
  string(LENGTH "${value}" length)
  if(NOT value MATCHES "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$" OR length GREATER 63)
    _isoenv_bad_value("${caller}" ${what} "${word}" "${value}"
      "a name: 1 to 63 of a-z, 0-9 and \"-\", with no \"-\" at either end")
  endif()
endfunction()

# So is the name of a service, a task or an alias, and it is a host name and a word of templates.
# inet_aton(3) takes 10 and 0x7f for addresses.
function(_isoenv_check_host_name caller what word value)
  _isoenv_check_name("${caller}" ${what} "${word}" "${value}")
  if(value MATCHES "^(self|line|localhost|ip6-localhost|ip6-loopback)$")
    _isoenv_fail("${caller}" "${word}: the name \"${value}\" is reserved")
  elseif(value MATCHES "^([0-9]+|0x[0-9a-f]*)$")
    _isoenv_fail("${caller}" "${word}: the name \"${value}\" reads as an IP address")
  endif()
endfunction()

# Fails when <values> holds something twice.
function(_isoenv_check_unique caller word values)
  set(seen "")
  foreach(value IN LISTS values)
    if(value IN_LIST seen)
      _isoenv_fail("${caller}" "${word}: \"${value}\" is given twice")
    endif()
    list(APPEND seen "${value}")
  endforeach()
endfunction()

# The one of <choice> that <value> is.
function(_isoenv_check_choice caller word value choice)
  if(NOT value IN_LIST choice)
    _isoenv_hint(hint "${value}" "${choice}")
    _isoenv_fail("${caller}" "${word}: unknown value \"${value}\"${hint}")
  endif()
endfunction()

# A port number 1…65535.
function(_isoenv_check_port_number caller word value number)
  if(NOT number MATCHES "^[1-9][0-9]*$" OR number GREATER 65535)
    _isoenv_fail("${caller}" "${word}: in \"${value}\", \"${number}\" is not a port number \
from 1 to 65535")
  endif()
endfunction()

# A span of time such as 500ms, 30s, 2m: its milliseconds.
function(_isoenv_milliseconds out caller what word value)
  string(LENGTH "${value}" length)
  if(value MATCHES "^([0-9]+)(ms|s|m)$" AND length LESS 12)
    set(factor_ms 1)
    set(factor_s 1000)
    set(factor_m 60000)
    math(EXPR span "${CMAKE_MATCH_1} * ${factor_${CMAKE_MATCH_2}}")
    if(span GREATER 86400000)
      _isoenv_fail("${caller}" "${word}: \"${value}\" is longer than a day")
    elseif(span EQUAL 0 AND word STREQUAL "READY_TIMEOUT")
      _isoenv_fail("${caller}" "${word}: \"${value}\" leaves no time")
    endif()
  elseif(value MATCHES "^[0-9]+$")
    _isoenv_fail("${caller}" "${word}: \"${value}\" has no unit, did you mean \"${value}s\"?")
  else()
    _isoenv_bad_value("${caller}" ${what} ${word} "${value}"
      "a span of time such as \"500ms\", \"30s\" or \"2m\"")
  endif()
  set(${out} ${span} PARENT_SCOPE)
endfunction()

# A size such as 512KiB, 64MiB, 1GiB, from 256 KiB to 1024 GiB.
function(_isoenv_check_size caller what word value)
  string(LENGTH "${value}" length)
  if(value MATCHES "^([0-9]+)(KiB|MiB|GiB)$" AND length LESS 13)
    set(factor_KiB 1)
    set(factor_MiB 1024)
    set(factor_GiB 1048576)
    math(EXPR size "${CMAKE_MATCH_1} * ${factor_${CMAKE_MATCH_2}}")
    if(size LESS 256 OR size GREATER 1073741824)
      _isoenv_fail("${caller}" "${word}: \"${value}\" is not from 256KiB to 1024GiB")
    endif()
  elseif(value MATCHES "^[0-9]+$")
    _isoenv_fail("${caller}" "${word}: \"${value}\" has no unit, did you mean \"${value}MiB\"?")
  else()
    _isoenv_bad_value("${caller}" ${what} ${word} "${value}"
      "a size such as \"512KiB\", \"64MiB\" or \"1GiB\"")
  endif()
endfunction()

# The name of an account, or a uid.
function(_isoenv_check_account caller what word value)
  string(LENGTH "${value}" length)
  if(NOT value MATCHES "^[A-Za-z0-9_@][A-Za-z0-9_.@-]*$" OR length GREATER 255)
    _isoenv_bad_value("${caller}" ${what} ${word} "${value}" "the name of an account or a uid")
  elseif(value MATCHES "^[0-9]+$" AND (length GREATER 10 OR value GREATER 4294967294))
    _isoenv_fail("${caller}" "${word}: \"${value}\" is not a uid from 0 to 4294967294")
  endif()
endfunction()

# How a process may end: an exit code from 0 to 255, or a signal. As JSON.
function(_isoenv_json_exits out caller what values)
  set(list "")
  _isoenv_check_unique("${caller}" EXPECT_EXIT "${values}")
  foreach(value IN LISTS values)
    _isoenv_decode(value "${value}")
    if(value MATCHES "^(0|[1-9][0-9]?[0-9]?)$" AND value LESS 256)
      list(APPEND list "${value}")
    elseif(value MATCHES "^SIG[A-Z0-9]+$")
      list(APPEND list "\"${value}\"")
    else()
      _isoenv_bad_value("${caller}" ${what} EXPECT_EXIT "${value}"
        "an exit code from 0 to 255 or a signal such as \"SIGKILL\"")
    endif()
  endforeach()
  list(JOIN list ", " text)
  set(${out} "[${text}]" PARENT_SCOPE)
endfunction()

# An end of a service that a test means, such as order:3 or order:SIGKILL: its service.
function(_isoenv_check_expected_exit out caller what value)
  string(REGEX MATCH "^([^:]+):(0|[1-9][0-9]?[0-9]?|SIG[A-Z0-9]+)$" match "${value}")
  set(service "${CMAKE_MATCH_1}")
  if(match STREQUAL "" OR CMAKE_MATCH_2 GREATER 255)
    _isoenv_bad_value("${caller}" ${what} EXPECT_EXIT "${value}"
      "an end of a service such as \"order:3\" or \"order:SIGKILL\": SERVICE:CODE with a CODE \
from 0 to 255, or SERVICE:SIGNAL")
  endif()
  set(${out} "${service}" PARENT_SCOPE)
endfunction()

# A fault that comes by itself: its service.
function(_isoenv_check_fault out caller what value)
  set(time "[0-9]+(ms|s|m)")
  if(NOT value MATCHES
     "^(pause|resume|kill|stop|start|restart)(=[A-Za-z0-9]+)?:([^:@+]+)@${time}(\\+${time})?$")
    _isoenv_bad_value("${caller}" ${what} FAULTS "${value}"
      "a fault such as \"pause:order@200ms+1s\": ACTION[=SIGNAL]:SERVICE@DELAY[+DURATION] with an \
ACTION of pause, resume, kill, stop, start and restart")
  endif()
  set(action "${CMAKE_MATCH_1}")
  set(signal "${CMAKE_MATCH_2}")
  set(service "${CMAKE_MATCH_3}")
  set(duration "${CMAKE_MATCH_5}")
  if(NOT signal STREQUAL "" AND NOT action STREQUAL "kill")
    _isoenv_fail("${caller}" "FAULTS: \"${value}\": only \"kill\" has a signal")
  elseif(NOT duration STREQUAL "" AND NOT action MATCHES "^(pause|kill|stop)$")
    _isoenv_fail("${caller}" "FAULTS: \"${value}\": only \"pause\", \"kill\" and \"stop\" last")
  endif()
  set(${out} "${service}" PARENT_SCOPE)
endfunction()

# Splits <value>, KEY=VALUE, at its first "=".
function(_isoenv_split_assignment caller what value key text)
  string(FIND "${value}" "=" at)
  string(SUBSTRING "${value}" 0 ${at} name)
  if(at EQUAL -1 OR NOT name MATCHES "^[A-Za-z_][A-Za-z0-9_]*$")
    _isoenv_bad_value("${caller}" ${what} ENV "${value}"
      "NAME=VALUE with a name of letters, digits and \"_\"")
  endif()
  math(EXPR at "${at} + 1")
  string(SUBSTRING "${value}" ${at} -1 rest)
  set(${key} "${name}" PARENT_SCOPE)
  set(${text} "${rest}" PARENT_SCOPE)
endfunction()

# The environment that is meant: ENVIRONMENT, or the project's name in the form of a name.
function(_isoenv_environment_name out caller what value)
  if(NOT value STREQUAL "")
    _isoenv_decode(name "${value}")
    _isoenv_check_name("${caller}" ${what} ENVIRONMENT "${name}")
  else()
    string(TOLOWER "${PROJECT_NAME}" name)
    string(REGEX REPLACE "[^a-z0-9]+" "-" name "${name}")
    string(SUBSTRING "${name}" 0 63 name)
    string(REGEX REPLACE "^-|-+$" "" name "${name}")
    if(name STREQUAL "")
      _isoenv_fail("${caller}" "the project's name \"${PROJECT_NAME}\" does not make an \
environment's name: give ENVIRONMENT")
    endif()
  endif()
  set(${out} "${name}" PARENT_SCOPE)
endfunction()
