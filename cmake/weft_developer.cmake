# What only people who work on weft need: tests and fuzzers. Never read by a consumer.
find_package(GTest REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
include(GoogleTest)

# weft_test(<name> [WHOLE] SOURCES ... USES <component>... [LIBRARIES ...] [TIMEOUT <seconds>])
#
# One test program of a component; each test case in it becomes a ctest case named <name>.<case>. WHOLE: the program
# is one ctest case, for cases that share what takes long to start.
#
# The undefined-behaviour sanitizer's checks of pointers cost two fifths of the time to compile a test; the library's
# own sources have them, tests do without. (The address sanitizer sees most of what they would.)
function(weft_test name)
  cmake_parse_arguments(arg "WHOLE" "TIMEOUT" "SOURCES;USES;LIBRARIES" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(test_${name} ${arg_SOURCES})
  target_include_directories(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests" "${PROJECT_SOURCE_DIR}/src")
  list(TRANSFORM arg_USES PREPEND weft::)
  target_link_libraries(test_${name} PRIVATE ${arg_USES} ${arg_LIBRARIES} GTest::gtest GTest::gtest_main)
  weft_developer_flags(test_${name})
  if(WEFT_SANITIZE MATCHES "undefined")
    target_compile_options(test_${name} PRIVATE -fno-sanitize=null,alignment,vptr,object-size)
  endif()
  if(arg_WHOLE)
    add_test(NAME ${name} COMMAND test_${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT})
  else()
    gtest_discover_tests(test_${name} TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT ${arg_TIMEOUT})
  endif()
endfunction()

# weft_compiled_again(<component> <source>...)
#
# Sources of the component that a test program compiles anew for itself. Within the library each then is an object of
# its own, so that the linker leaves it where it is.
function(weft_compiled_again component)
  set_source_files_properties(${ARGN} TARGET_DIRECTORY weft_${component} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# weft_planted_bug(<number> TEST <name> CAUGHT_BY <suite.case> SOURCE <file> USES <component>...
#   [LIBRARIES <target>...])
#
# The test program <name> once more, with one source of the library compiled with WEFT_BUG_<number>, which makes it
# wrong on purpose. The ctest case planted.bug_<number> passes where that test case fails: so a test that no
# longer sees the bug is found. The source must be one that the linker takes as a whole.
function(weft_planted_bug number)
  cmake_parse_arguments(arg "" "TEST;CAUGHT_BY;SOURCE" "USES;LIBRARIES" ${ARGN})
  set(target planted_bug_${number})
  add_executable(${target} $<TARGET_OBJECTS:test_${arg_TEST}> "${PROJECT_SOURCE_DIR}/${arg_SOURCE}")
  string(REGEX REPLACE "^src/([a-z_]+)/.*$" "\\1" component "${arg_SOURCE}")
  weft_compiled_again(${component} "${PROJECT_SOURCE_DIR}/${arg_SOURCE}")
  target_compile_definitions(${target} PRIVATE WEFT_BUG_${number})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src")
  list(TRANSFORM arg_USES PREPEND weft::)
  get_target_property(of_test test_${arg_TEST} LINK_LIBRARIES)
  target_link_libraries(${target} PRIVATE ${of_test} ${arg_USES} ${arg_LIBRARIES})
  weft_developer_flags(${target})
  add_test(NAME planted.bug_${number} COMMAND ${target} --gtest_filter=${arg_CAUGHT_BY})
  string(REPLACE "." "[.]" pattern "${arg_CAUGHT_BY}")
  set_tests_properties(planted.bug_${number} PROPERTIES TIMEOUT 120
    PASS_REGULAR_EXPRESSION "FAILED  . ${pattern}")
endfunction()

# weft_fuzzer(<name> SOURCES ... USES <component>... [LIBRARIES ...])
#
# A program around LLVMFuzzerTestOneInput, for bytes that come from outside. In the fuzz preset it is
# a libFuzzer program that `./dev fuzz` runs; in every other build it replays its seed corpus,
# tests/fuzz/corpus/<name>/, as the ctest case fuzz.<name>.
function(weft_fuzzer name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  set(corpus "${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name}")
  if(NOT IS_DIRECTORY "${corpus}")
    message(FATAL_ERROR "weft_fuzzer(${name}): no seed corpus; put at least one input into ${corpus}")
  endif()
  add_executable(fuzz_${name} ${arg_SOURCES})
  target_include_directories(fuzz_${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests" "${PROJECT_SOURCE_DIR}/src")
  list(TRANSFORM arg_USES PREPEND weft::)
  target_link_libraries(fuzz_${name} PRIVATE ${arg_USES} ${arg_LIBRARIES})
  weft_developer_flags(fuzz_${name})
  if(WEFT_SANITIZE MATCHES "fuzzer")
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    set_property(GLOBAL APPEND PROPERTY WEFT_FUZZERS fuzz_${name})
  else()
    target_sources(fuzz_${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests/support/replay_corpus.cpp")
    add_test(NAME fuzz.${name} COMMAND fuzz_${name} "${corpus}")
    set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 120)
  endif()
endfunction()

# Writes the path of each libFuzzer program to fuzzers.txt and makes the target `weft_fuzzers`.
function(weft_write_fuzzer_list)
  get_property(fuzzers GLOBAL PROPERTY WEFT_FUZZERS)
  set(text "")
  foreach(fuzzer IN LISTS fuzzers)
    string(APPEND text "$<TARGET_FILE:${fuzzer}>\n")
  endforeach()
  file(GENERATE OUTPUT "${PROJECT_BINARY_DIR}/fuzzers.txt" CONTENT "${text}")
  add_custom_target(weft_fuzzers DEPENDS ${fuzzers})
endfunction()
