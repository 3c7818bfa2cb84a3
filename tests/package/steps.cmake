# What the three ways share. Each is a script; a step that fails ends it with the step's output.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(NOTICE "${out}")
    message(FATAL_ERROR "status ${status} from: ${command}")
  endif()
endfunction()

# run_and_expect(<text> <command>...): its output has the text.
function(run_and_expect text)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE out ERROR_VARIABLE out)
  string(FIND "${out}" "${text}" found)
  if(NOT status EQUAL 0 OR found EQUAL -1)
    message(FATAL_ERROR "status ${status}, or no \"${text}\" from: ${ARGN}\n${out}")
  endif()
endfunction()

# try_consumer(<project folder> <build folder> [cmake options...]): configures, builds and runs it.
function(try_consumer source build)
  run("${CMAKE_COMMAND}" -S "${source}" -B "${build}" -G "${GENERATOR}"
    "-DCMAKE_CXX_COMPILER=${CXX}" "-DCMAKE_C_COMPILER=${CC}"
    "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}" "-DCMAKE_C_COMPILER_LAUNCHER=${LAUNCHER}" ${ARGN})
  run("${CMAKE_COMMAND}" --build "${build}" --target consumer simulated)
  run("${build}/consumer")
  run_and_expect("simulated 200 seeds from 1: 0 failed" ctest --test-dir "${build}" -V -R "^simulated$")
  run_and_expect("simulated 1 seeds from 17: 0 failed" "${CMAKE_COMMAND}" -E env WEFT_SEED=17 "${build}/simulated")
  message(STATUS "built and ran ${build}/consumer")
endfunction()

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
