# weft_add_simulated_test(<name> SOURCES ... [LIBRARIES ...] [SEEDS <count>] [TIMEOUT <seconds>])
#
# A test program that calls weft::simulated_main, and a ctest case of the same name that runs it under <count>
# seeds, 1000 if nothing is said. Each seed that fails is printed; with WEFT_SEED=<seed> in the environment the
# program, and ctest, run that one alone.
function(weft_add_simulated_test name)
  cmake_parse_arguments(arg "" "SEEDS;TIMEOUT" "SOURCES;LIBRARIES" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "weft_add_simulated_test(${name}): needs SOURCES, and knows LIBRARIES, SEEDS and TIMEOUT; "
      "got: ${ARGN}")
  endif()
  if(NOT arg_SEEDS)
    set(arg_SEEDS 1000)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE weft::fiber ${arg_LIBRARIES})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES ENVIRONMENT "WEFT_SEEDS=${arg_SEEDS}")
  if(arg_TIMEOUT)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT})
  endif()
endfunction()
