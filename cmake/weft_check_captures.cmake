# weft_check_captures(<target>)
#
# Adds the target <target>_captures, which looks in the sources of <target> for functions that capture by reference
# and are given to a fiber or a timer that nobody joins; see weft_captures.py. It needs Python 3, clang-query, and
# CMAKE_EXPORT_COMPILE_COMMANDS.
set(WEFT_CAPTURES_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/weft_captures.py")

function(weft_check_captures target)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  if(NOT CMAKE_EXPORT_COMPILE_COMMANDS)
    message(FATAL_ERROR "weft_check_captures(${target}): set CMAKE_EXPORT_COMPILE_COMMANDS to ON before")
  endif()
  get_target_property(sources ${target} SOURCES)
  get_target_property(folder ${target} SOURCE_DIR)
  list(FILTER sources INCLUDE REGEX "\\.(cc|cpp|cxx)$")
  list(TRANSFORM sources PREPEND "${folder}/" REGEX "^[^/]")
  add_custom_target(${target}_captures
    COMMAND ${Python3_EXECUTABLE} "${WEFT_CAPTURES_SCRIPT}" -p "${CMAKE_BINARY_DIR}" ${sources}
    COMMENT "Looking for reference captures that outlive their variables in ${target}"
    VERBATIM)
endfunction()
