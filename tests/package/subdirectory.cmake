# FetchContent, in a parent with warnings as errors: weft must be silent and keep to itself. Without PostgreSQL and HTTP/2, as
# where there is neither libpq nor nghttp2; the others have them.
include("${CMAKE_CURRENT_LIST_DIR}/steps.cmake")
try_consumer("${CMAKE_CURRENT_LIST_DIR}/parent" "${WORK}/build" "-DWEFT_SOURCE=${WEFT_SOURCE}"
  "-DWEFT_WITH_POSTGRES=OFF" "-DWEFT_WITH_HTTP2=OFF")

# Installing the parent installs nothing of weft.
run("${CMAKE_COMMAND}" --install "${WORK}/build" --prefix "${WORK}/prefix")
file(GLOB_RECURSE installed LIST_DIRECTORIES false RELATIVE "${WORK}/prefix" "${WORK}/prefix/*")
if(NOT installed STREQUAL "bin/consumer")
  message(FATAL_ERROR "the parent installed more than its own program: ${installed}")
endif()
