# Each public header compiles alone: one generated source per header, built by the test. The headers
# are found by a glob, here only, so that none can be forgotten.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}/include"
  "${PROJECT_SOURCE_DIR}/include/weft/*.hpp")
set(sources "")
foreach(header IN LISTS headers)
  string(REGEX REPLACE "\\.hpp$" ".cpp" source "${PROJECT_BINARY_DIR}/headers_alone/${header}")
  file(CONFIGURE OUTPUT "${source}" CONTENT "#include <${header}>\n#include <${header}>\n")
  list(APPEND sources "${source}")
endforeach()
add_library(headers_alone OBJECT EXCLUDE_FROM_ALL ${sources})
target_include_directories(headers_alone PRIVATE "${PROJECT_SOURCE_DIR}/include")
target_compile_features(headers_alone PRIVATE cxx_std_20)
target_compile_options(headers_alone PRIVATE -O0 ${WEFT_WARNINGS})
add_test(NAME headers_alone COMMAND "${CMAKE_COMMAND}" --build "${PROJECT_BINARY_DIR}" --target headers_alone
  $<$<STREQUAL:${CMAKE_GENERATOR},Ninja>:--$<SEMICOLON>-k$<SEMICOLON>0> COMMAND_EXPAND_LISTS)
set_tests_properties(headers_alone PROPERTIES TIMEOUT 600 RESOURCE_LOCK build_folder PROCESSORS 2)

# The one include of the first hour stays quick to compile. Other versions of the compiler take other amounts.
if(CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 12 AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  add_test(NAME headers_alone.weft_hpp_is_quick_to_compile COMMAND Python3::Interpreter
    "${CMAKE_CURRENT_LIST_DIR}/header_cost.py" "${CMAKE_CXX_COMPILER}" "${PROJECT_SOURCE_DIR}/include")
endif()
