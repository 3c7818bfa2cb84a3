# Debian packages, made of the build folder's shared libraries, installed in a file system that is thrown away: a layer
# in memory over this machine's own, which sees none of it.
include("${CMAKE_CURRENT_LIST_DIR}/steps.cmake")

file(MAKE_DIRECTORY "${WORK}/packages" "${WORK}/layers" "${WORK}/outside")
run("${CPACK}" -G DEB --config "${WEFT_BUILD}/CPackConfig.cmake" -B "${WORK}/packages")
file(GLOB packages RELATIVE "${WORK}/packages" "${WORK}/packages/*.deb")
list(LENGTH packages count)
if(NOT count EQUAL 3)
  message(FATAL_ERROR "not three packages: ${packages}")
endif()

# The consumer is no part of weft's tree here.
file(COPY "${CMAKE_CURRENT_LIST_DIR}/consumer" "${CMAKE_CURRENT_LIST_DIR}/debian.sh" DESTINATION "${WORK}/outside")
execute_process(COMMAND id -u OUTPUT_VARIABLE user OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
set(map "")
if(NOT user EQUAL 0)
  set(map --map-root-user)
endif()
execute_process(
  COMMAND "${CMAKE_COMMAND}" -E env "CXX=${CXX}" "GENERATOR=${GENERATOR}"
    unshare --mount ${map} "${WORK}/outside/debian.sh" "${WORK}"
  COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
