# Part of IsoEnv, which is under the Apache License 2.0.

#[=======================================================================[.rst:
IsoEnv
------

This module declares the services that tests need. Under ``ctest`` each service
runs in a network namespace of its own, tests run beside it, and everything is
taken down afterwards, also when ``ctest`` is cancelled or killed.

It is there after ``find_package(IsoEnv)``, ``FetchContent_MakeAvailable(IsoEnv)``
or ``add_subdirectory()`` of IsoEnv's sources, in projects of any languages
(``NONE`` too), with single- and multi-configuration generators, and needs
CMake 3.22 and a top-level directory that calls :command:`enable_testing`:

.. code-block:: cmake

  find_package(IsoEnv REQUIRED)
  enable_testing()

  isoenv_add_service(store
    COMMAND node ${CMAKE_CURRENT_SOURCE_DIR}/store.js
    PORTS http:8080
    READY_HTTP http /health)

  isoenv_add_test(NAME store.answers
    COMMAND curl --fail http://store:8080/
    SERVICES store)

The order of the calls does not matter, nor does the directory: a test may be
declared before its services, and services may depend on services of another
directory. Names are checked at the end of the top-level directory.

Each keyword is the upper-case form of a key of IsoEnv's JSON specification. A
word that is not known is an error, and so is one in capitals that is nearly a
keyword: to pass such a word to a program, write ``$<1:WORD>``. Every name is a
DNS label: 1 to 63 of ``a-z``, ``0-9`` and ``-``.

Values that are called *templates* below may contain ``{{self.port}}``,
``{{<service>.url.<port>}}`` and so on, which are replaced when the service is
started, and generator expressions, which are evaluated when the build system
is generated and must yield a single line. The result of a generator expression
is never taken for a template. It is evaluated in the top-level directory, so a
target that it names must be visible there.

.. command:: isoenv_add_service

  Adds a service, a process that stays up::

    isoenv_add_service(<name>
                       COMMAND <program> [<arg>...]
                       [LAUNCHER <program> [<arg>...]]
                       [ENVIRONMENT <environment>]
                       [WORKING_DIRECTORY <dir>]
                       [ALIASES <host name>...]
                       [PORTS <name>[:<number>|:auto][/tcp|/udp]...]
                       [ENV <NAME>=<value>...]
                       [ENV_MODE inherit|clean]
                       [SECRET_ENV <NAME>...]
                       [USER <account>]
                       [DEPENDS <name>[:ready|:started|:completed]...]
                       [READY_TCP <port>...] [READY_UDP <port>...]
                       [READY_HTTP <port> [<path> [<status> [<body regex>]]]]
                       [READY_LOG <regex>...] [READY_EXEC <program> [<arg>...]]
                       [READY_FILE <path>...] [READY_UNIX <path>...]
                       [READY_NOTIFY] [READY_TIMEOUT <time>]
                       [STOP_SIGNAL <signal>] [STOP_TIMEOUT <time>]
                       [LOG_LIMIT <size>]
                       [PUBLISH <port>[:<number>|:auto]...]
                       [LOCALHOST <port>[:<number>]...]
                       [RESTART never|on_failure]
                       [EXPECT_EXIT <code>|<signal>...] [ALLOW_FAILURE])

  Other services and tests of the same environment reach it by its ``<name>``.

  ``COMMAND <program> [<arg>...]``
    Templates. Never run through a shell. If ``<program>`` is an executable
    target, now or later, its file is run; a relative path with a slash is
    relative to the current source directory; a bare name is looked up in the
    ``PATH`` that the service will see. All words up to the next keyword belong
    to the command.

  ``LAUNCHER <program> [<arg>...]``
    Words put before the command, such as ``valgrind --error-exitcode=9`` or
    ``gdbserver :2345``. Templates and targets as in ``COMMAND``. Probes run
    without it; ``STOP_SIGNAL`` goes to the program, also behind a launcher
    that stays its parent.

  ``ENVIRONMENT <environment>``
    The environment that the service belongs to. By default the name of the
    project (:variable:`PROJECT_NAME`) in lower case, with ``-`` for every other
    character that a name cannot have.

  ``WORKING_DIRECTORY <dir>``
    A template. Relative to the current binary directory, and that by default.

  ``ALIASES <host name>...``
    Further names under which the service is reached.

  ``PORTS <port>...``
    ``http:8080`` is exactly 8080, in every instance of the environment.
    ``http``, or ``http:auto``, is a number that IsoEnv assigns. ``/udp`` makes
    it a UDP port. The first port is the one meant by ``{{self.port}}``.

  ``ENV <NAME>=<value>...``, ``ENV_MODE inherit|clean``
    Variables of the service; the values are templates. They are added to the
    environment that ``ctest`` has, or with ``clean`` to a small documented one.

  ``SECRET_ENV <NAME>...``
    Variables that come from the environment of ``ctest`` when it runs, with
    either ``ENV_MODE``, and whose values no log and no message shows. Each must
    be set there, to at least 4 characters. The value is never CMake's.

  ``USER <account>``
    The account that the service runs as, by name or uid, when ``ctest`` runs as
    root. Otherwise it runs as whoever runs ``ctest``.

  ``DEPENDS <name>...``
    What must be there before the service is started: by default a service is
    awaited until it is ``ready``, a task until it is ``completed``.

  ``READY_<KIND> ...``
    When the service is ready; if several are given, when all of them hold. All
    but ``READY_NOTIFY`` may be repeated. ``READY_TCP`` and ``READY_UDP``: the
    service listens on the port. ``READY_HTTP``: a request is answered with
    ``<status>`` (any 2xx by default) and a body that matches. ``READY_LOG``: a
    line of output matches. ``READY_EXEC``: the command exits with 0.
    ``READY_FILE``, ``READY_UNIX``: the file is there, the socket accepts.
    ``READY_NOTIFY``: the service says so, as with :manpage:`sd_notify(3)`.
    Paths and commands are templates; a relative path is relative to the
    working directory. By default, every TCP port listens.

  ``READY_TIMEOUT <time>``, ``STOP_TIMEOUT <time>``
    How long to wait, such as ``500ms``, ``30s``, ``2m``: until it is ready
    (30s), and after ``STOP_SIGNAL`` (``SIGTERM``) until it is killed (10s).

  ``LOG_LIMIT <size>``
    How much of the service's output its log may hold, such as ``512KiB``,
    ``64MiB``, ``1GiB`` (256MiB). Beyond it the oldest goes.

  ``PUBLISH <port>...``
    TCP ports offered on the host's loopback, under the same number, another
    one, or any free one (``auto``).

  ``LOCALHOST <port>...``
    TCP ports offered on the loopback that the tests see.

  ``RESTART never|on_failure``
    Whether it is started again when it has ended by itself: never, which is
    the default, or when it failed, with growing pauses.

  ``EXPECT_EXIT <code>|<signal>...``, ``ALLOW_FAILURE``
    A test fails when a service that it uses dies while the test runs, or
    reports a sanitizer's finding, and the service's ``down`` does when it ends
    badly. The former names ends that are no failure, such as ``3 SIGKILL``;
    with the latter nothing of this service is one.

.. command:: isoenv_add_task

  Adds a task, a process that runs to its end, such as a migration::

    isoenv_add_task(<name> COMMAND <program> [<arg>...] [READY_EXIT <code>] ...)

  It takes the words of :command:`isoenv_add_service` but ``ALIASES``,
  ``PUBLISH`` and ``LOCALHOST``. It is completed when it exits with 0, or with
  the code of ``READY_EXIT``.

.. command:: isoenv_add_environment

  Sets something on an environment as a whole::

    isoenv_add_environment(<name> [ENV <NAME>=<value>...] [PRESTART])

  ``ENV`` is for all services and tasks, before their own. An environment that
  needs nothing set need not be added.

  ``PRESTART``
    In a run of all tests, the first service that is brought up starts all the
    others that tests with ``SCOPE RUN`` need too, and does not wait for them.
    Each is still brought up by its own test, which finds it started and waits
    until it is ready, or tells why it is not. So ``ctest -j1`` waits for the
    longest chain of services and not for one after the other. A ``ctest`` whose
    command line may leave out tests, or end early (``-R``, ``-L``, ``--preset``,
    ``--stop-on-failure``, ``-S`` and whatever is not known), starts nothing
    ahead.

.. command:: isoenv_add_test

  Adds a test that runs inside an environment::

    isoenv_add_test(NAME <name>
                    COMMAND <program> [<arg>...]
                    [SERVICES <service>...]
                    [ENVIRONMENT <environment>]
                    [SCOPE RUN|TEST]
                    [WORKING_DIRECTORY <dir>]
                    [TIMEOUT <seconds>]
                    [ENV <NAME>=<value>...]
                    [LABELS <label>...]
                    [CONFIGURATIONS <config>...]
                    [FAULTS <fault>...]
                    [EXPECT_EXIT <service>:<code>|<service>:<signal>...]
                    [ALLOW_FAILURE <service>...])

  ``COMMAND``, ``WORKING_DIRECTORY`` and ``ENVIRONMENT`` are as above, the
  former two with generator expressions but no templates; ``CONFIGURATIONS`` is
  that of :command:`add_test`; ``TIMEOUT`` and ``LABELS`` are the properties of
  the same names. Other properties are set with :command:`set_property`; to add
  a fixture, ``APPEND`` to ``FIXTURES_REQUIRED``.

  ``SERVICES <service>...``
    The services and tasks that the test needs. What these depend on comes with
    them.

  ``SCOPE RUN``
    One instance of the environment is shared by all such tests of one run of
    ``ctest``. This is the default. Two runs, even at once, share nothing.

  ``SCOPE TEST``
    The test has an instance of its own. Without ``SERVICES`` it is empty: the
    test has a loopback to itself, and may start servers on any fixed port.

  ``ENV <NAME>=<value>...``
    Variables of the test. Values may hold generator expressions.

  ``FAULTS <fault>...``
    What happens to services while the test runs, each as
    ``<action>[=<signal>]:<service>@<delay>[+<duration>]`` such as
    ``pause:order@200ms+1s`` or ``kill=SIGTERM:order@1s``. An ``<action>`` is
    ``pause``, ``resume``, ``kill``, ``stop``, ``start`` or ``restart``. All is
    undone at the end of the test.

  ``EXPECT_EXIT <service>:<code>|<service>:<signal>...``
    Ends of services, such as ``order:3`` or ``order:SIGKILL``, that do not fail
    this test. At its end such a service is started again.

  ``ALLOW_FAILURE <service>...``
    Services nothing of which fails this test. Both words name services that the
    test uses; of :command:`isoenv_add_service` they count for every test.

  A test that exits with 77 is skipped, as are all where IsoEnv cannot work. At
  its time-out it is sent ``SIGTERM``, and 5 s later it is killed, from CMake 3.27
  on: set the properties :prop_test:`TIMEOUT_SIGNAL_NAME` and
  :prop_test:`TIMEOUT_SIGNAL_GRACE_PERIOD` to change that.

.. command:: isoenv_discover_tests

  Adds every test case of a test program as a test of its own, inside an
  environment::

    isoenv_discover_tests(<target>
                          [SERVICES <service>...]
                          [ENVIRONMENT <environment>]
                          [SCOPE RUN|TEST]
                          [ENV <NAME>=<value>...]
                          [LABELS <label>...]
                          [TIMEOUT <seconds>]
                          [WORKING_DIRECTORY <dir>]
                          [FAULTS <fault>...]
                          [EXPECT_EXIT <service>:<code>|<service>:<signal>...]
                          [ALLOW_FAILURE <service>...]
                          [FRAMEWORK gtest|catch2|doctest]
                          [<option>...]
                          [PROPERTIES <property> <value>...])

  The words are those of :command:`isoenv_add_test`, for each case; with
  ``SCOPE TEST`` each has an instance of its own. ``<target>`` is an executable target that is
  there already. The cases are found, named and run as
  :command:`gtest_discover_tests` does it, whose ``<option>``\ s these are:
  ``TEST_PREFIX``, ``TEST_SUFFIX``, ``TEST_FILTER``, ``TEST_LIST``,
  ``EXTRA_ARGS``, ``NO_PRETTY_TYPES``, ``NO_PRETTY_VALUES``, ``XML_OUTPUT_DIR``,
  ``DISCOVERY_MODE``, ``DISCOVERY_TIMEOUT`` and, from CMake 3.31 on,
  ``DISCOVERY_EXTRA_ARGS``. No service need be up while they are found.

  ``FRAMEWORK catch2`` and ``FRAMEWORK doctest`` use ``catch_discover_tests()``
  or ``doctest_discover_tests()`` instead, which the project has included. Their
  ``<option>``\ s are ``TEST_SPEC``, ``EXTRA_ARGS``, ``TEST_PREFIX``,
  ``TEST_SUFFIX``, ``TEST_LIST``, and for Catch2 ``REPORTER``, ``OUTPUT_DIR``,
  ``OUTPUT_PREFIX``, ``OUTPUT_SUFFIX``, ``DISCOVERY_MODE``, for doctest
  ``ADD_LABELS``, ``JUNIT_OUTPUT_DIR``.

  ``PROPERTIES <property> <value>...``
    Test properties. Up to the next option, names and values take turns, so
    ``ENVIRONMENT`` or ``LABELS`` stands for the property here; a list is one
    quoted word. Lists add to what IsoEnv sets, single values replace it.

  ``DISCOVERY_MODE POST_BUILD|PRE_TEST``
    As for :command:`gtest_discover_tests`, and with a multi-configuration
    generator ``PRE_TEST`` by default: after the build there is one list of
    tests for all configurations, that of the one built last.

  A launcher of the target (:prop_tgt:`TEST_LAUNCHER`,
  :prop_tgt:`CROSSCOMPILING_EMULATOR`) is run inside the environment, before the
  program. Words that the discovery would change on their way to the test (with
  ``;``, with unbalanced square brackets, empty ones) are errors.

.. command:: isoenv_attach

  Runs tests inside an environment that :command:`add_test`, or a function that
  calls it, has added::

    isoenv_attach(TESTS <test>...
                  [SERVICES <service>...]
                  [ENVIRONMENT <environment>]
                  [SCOPE RUN|TEST]
                  [DIRECTORY <dir>]
                  [FAULTS <fault>...]
                  [EXPECT_EXIT <service>:<code>|<service>:<signal>...]
                  [ALLOW_FAILURE <service>...])

  The words are those of :command:`isoenv_add_test`, for each test. These are
  those of ``DIRECTORY``, by default the current one, and must be
  there already. Each keeps its command, its working directory and its
  properties; one that exits with 77 is skipped. Tests that are only found
  after the build are not there yet: see :command:`isoenv_discover_tests`.

Tests and files it makes
^^^^^^^^^^^^^^^^^^^^^^^^

For every service that tests with ``SCOPE RUN`` need, directly or not, the
top-level directory gets the tests ``isoenv.<environment>.<service>.up`` and
``.down``, with the label ``isoenv``, that set up and clean up the fixture
``isoenv.<environment>.<service>``. If no test of IsoEnv's functions names the
environment, every service of it gets them. Therefore ``ctest`` is to be run in
the top-level build directory; below it, tests with ``SCOPE RUN`` fail, saying
that no environment is up.

``<top-level build dir>/isoenv/<environment>.json`` is the specification, fit
for ``isoenv up -f``. ``<environment>/`` beside it holds the logs of instances
that tests share, ``<environment>/tests/<test>/`` those of the test's own,
``<environment>/tests/<target>/<test>/`` those of a discovered test's own. With
a multi-configuration generator the names are ``<environment>.<config>.json``
and ``<environment>.<config>/``.

.. variable:: ISOENV_ISOLATION

  What isolation the tests get: ``netns`` (namespaces, or the tests are skipped),
  ``ports`` (none: services share the host's loopback on reserved ports, and are
  reached by variables, not names) or ``auto`` (namespaces, or else ports, which
  the test that starts a service then says). Empty by default: the environment
  variable of the same name decides when ``ctest`` runs, and without it ``auto``.

.. variable:: ISOENV_EXECUTABLE

  The ``isoenv`` program to run instead of the target ``isoenv::isoenv``, for
  instance when cross-compiling. A cache variable, empty by default.
#]=======================================================================]

include_guard(GLOBAL)
cmake_policy(PUSH)
cmake_policy(VERSION 3.22)

set(ISOENV_ISOLATION "" CACHE STRING "The isolation of the tests: auto, netns, ports, or empty")
set_property(CACHE ISOENV_ISOLATION PROPERTY STRINGS "" auto netns ports)
mark_as_advanced(ISOENV_ISOLATION)
set(ISOENV_EXECUTABLE "" CACHE FILEPATH "The isoenv program to use instead of isoenv::isoenv")
mark_as_advanced(ISOENV_EXECUTABLE)

include("${CMAKE_CURRENT_LIST_DIR}/isoenv/text.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/isoenv/words.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/isoenv/json.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/isoenv/registry.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/isoenv/service.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/isoenv/ready.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/isoenv/tests.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/isoenv/discover.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/isoenv/attach.cmake")

function(isoenv_add_service name)
  _isoenv_take_words(words 1 ${ARGC})
  _isoenv_add_process(service "${name}" "${words}")
endfunction()

function(isoenv_add_task name)
  _isoenv_take_words(words 1 ${ARGC})
  _isoenv_add_process(task "${name}" "${words}")
endfunction()

function(isoenv_add_environment name)
  _isoenv_take_words(words 1 ${ARGC})
  _isoenv_add_environment("${name}" "${words}")
endfunction()

function(isoenv_add_test)
  _isoenv_take_words(words 0 ${ARGC})
  _isoenv_add_test("${words}")
endfunction()

function(isoenv_discover_tests target)
  _isoenv_take_words(words 1 ${ARGC})
  _isoenv_discover_tests("${target}" "${words}")
endfunction()

function(isoenv_attach)
  _isoenv_take_words(words 0 ${ARGC})
  _isoenv_attach("${words}")
endfunction()

cmake_policy(POP)
