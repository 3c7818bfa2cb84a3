# Fetches the npm packages of dashboard/ as its lock says, bundles the page, and compares it byte for byte with what
# is in the tree; and it must stay small.
#
# cmake -DSOURCES=<dashboard> -DASSETS=<src/dashboard/assets> -DWORK=<folder> -P bundle.cmake
find_program(npm npm)
find_program(node node)
function(not_here what)
  if(DEFINED ENV{CI})
    message(FATAL_ERROR "dashboard.bundle: ${what}")
  endif()
  message(STATUS "dashboard.bundle: skipped: ${what}")
endfunction()
if(NOT npm OR NOT node)
  not_here("there is no npm (debian-packages.txt)")
  return()
endif()

file(REMOVE_RECURSE "${WORK}/src" "${WORK}/made")
file(COPY "${SOURCES}/src" "${SOURCES}/build.mjs" "${SOURCES}/package.json" "${SOURCES}/package-lock.json"
  DESTINATION "${WORK}")
file(SHA256 "${SOURCES}/package-lock.json" wanted)
set(have "")
if(EXISTS "${WORK}/fetched")
  file(READ "${WORK}/fetched" have)
endif()
if(NOT have STREQUAL wanted)
  execute_process(COMMAND "${npm}" ci --ignore-scripts --no-audit --no-fund
    WORKING_DIRECTORY "${WORK}" RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT status EQUAL 0)
    not_here("npm ci failed: ${said}")
    return()
  endif()
  file(WRITE "${WORK}/fetched" "${wanted}")
endif()

execute_process(COMMAND "${node}" build.mjs made WORKING_DIRECTORY "${WORK}" COMMAND_ERROR_IS_FATAL ANY)
set(wrong "")
foreach(file index.html app.css app.js)
  execute_process(COMMAND "${CMAKE_COMMAND}" -E compare_files "${WORK}/made/${file}" "${ASSETS}/${file}"
    RESULT_VARIABLE differs)
  if(differs)
    list(APPEND wrong "${file}")
  endif()
endforeach()
if(wrong)
  message(FATAL_ERROR "dashboard.bundle: ${wrong} in src/dashboard/assets is not what dashboard/ makes: run "
    "`npm ci && npm run build` there")
endif()

set(bytes_max 102400)
file(ARCHIVE_CREATE OUTPUT "${WORK}/made.gz" PATHS "${WORK}/made" FORMAT paxr COMPRESSION GZip)
file(SIZE "${WORK}/made.gz" bytes)
if(bytes GREATER bytes_max)
  message(FATAL_ERROR "dashboard.bundle: the page has ${bytes} bytes with gzip, more than ${bytes_max}")
endif()
