# What only people who work on weft need: tests and benchmarks. Never read by a consumer.
find_package(GTest REQUIRED)
include(GoogleTest)

# weft_test(<name> SOURCES ... USES <component>... [LIBRARIES ...])
#
# One test program of a component; each test case in it becomes a ctest case named <name>.<case>.
function(weft_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  add_executable(test_${name} ${arg_SOURCES})
  target_include_directories(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests" "${PROJECT_SOURCE_DIR}/src")
  list(TRANSFORM arg_USES PREPEND weft::)
  target_link_libraries(test_${name} PRIVATE ${arg_USES} ${arg_LIBRARIES} GTest::gtest GTest::gtest_main)
  weft_developer_flags(test_${name})
  gtest_discover_tests(test_${name} TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120)
endfunction()
