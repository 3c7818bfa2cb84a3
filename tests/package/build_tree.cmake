# find_package against the build folder, for somebody who works on weft and on a user of it.
include("${CMAKE_CURRENT_LIST_DIR}/steps.cmake")
try_consumer("${CMAKE_CURRENT_LIST_DIR}/consumer" "${WORK}/build" "-Dweft_DIR=${WEFT_BUILD}")
