# The first thing somebody does is `./dev demo`: it is configured where nothing is installed that only tests need, and
# tests can join the same folder later.
include("${CMAKE_CURRENT_LIST_DIR}/steps.cmake")

set(configure "${CMAKE_COMMAND}" -S "${WEFT_SOURCE}" -B "${WORK}/build" -G Ninja
  "-DCMAKE_CXX_COMPILER=${CXX}" "-DCMAKE_C_COMPILER=${CC}")
run(${configure} -DWEFT_TESTS=OFF -DCMAKE_DISABLE_FIND_PACKAGE_GTest=ON)
run_and_expect("signup: phony" "${CMAKE_COMMAND}" --build "${WORK}/build" --target help)

execute_process(COMMAND ${configure} -DWEFT_TESTS=ON -DCMAKE_DISABLE_FIND_PACKAGE_GTest=ON
  RESULT_VARIABLE status OUTPUT_VARIABLE out ERROR_VARIABLE out)
string(FIND "${out}" "GTest" named)
if(status EQUAL 0 OR named EQUAL -1)
  message(FATAL_ERROR "without GoogleTest, tests were configured, or nothing says what is missing:\n${out}")
endif()

run(${configure} -DWEFT_TESTS=ON -DCMAKE_DISABLE_FIND_PACKAGE_GTest=OFF)
run_and_expect("test_core_clock: phony" "${CMAKE_COMMAND}" --build "${WORK}/build" --target help)
