# find_package and pkg-config against an installed tree, before and after its prefix is moved.
include("${CMAKE_CURRENT_LIST_DIR}/steps.cmake")
set(consumer "${CMAKE_CURRENT_LIST_DIR}/consumer")

function(try_pkg_config prefix)
  set(ENV{PKG_CONFIG_PATH} "${prefix}/${LIBDIR}/pkgconfig")
  execute_process(COMMAND pkg-config --cflags --libs weft
    OUTPUT_VARIABLE flags ERROR_VARIABLE flags COMMAND_ERROR_IS_FATAL ANY OUTPUT_STRIP_TRAILING_WHITESPACE)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  run(${LAUNCHER} "${CXX}" -std=c++20 -c "${consumer}/main.cpp" -o "${WORK}/main.o" ${flags})
  # The libraries that register themselves are not part of this way; their environment stands in.
  set(ENV{REGISTERED_static} yes)
  set(ENV{REGISTERED_shared} yes)
  run("${CXX}" "${WORK}/main.o" -o "${WORK}/by_pkg_config" ${flags})
  run("${CMAKE_COMMAND}" -E env "LD_LIBRARY_PATH=${prefix}/${LIBDIR}" "${WORK}/by_pkg_config")
  message(STATUS "built and ran with the flags of ${prefix}/${LIBDIR}/pkgconfig/weft.pc")
endfunction()

run("${CMAKE_COMMAND}" --install "${WEFT_BUILD}" --prefix "${WORK}/first")
try_consumer("${consumer}" "${WORK}/against_first" "-DCMAKE_PREFIX_PATH=${WORK}/first")

file(RENAME "${WORK}/first" "${WORK}/moved")
try_consumer("${consumer}" "${WORK}/against_moved" "-DCMAKE_PREFIX_PATH=${WORK}/moved")
try_pkg_config("${WORK}/moved")

# Nothing installed may name the folders that it was built in.
file(GLOB_RECURSE texts "${WORK}/moved/*.cmake" "${WORK}/moved/*.pc" "${WORK}/moved/*.hpp")
foreach(text IN LISTS texts)
  file(STRINGS "${text}" lines)
  foreach(folder IN ITEMS "${WEFT_SOURCE}" "${WEFT_BUILD}" "${WORK}/first")
    string(FIND "${lines}" "${folder}" found)
    if(NOT found EQUAL -1)
      message(FATAL_ERROR "${text} names ${folder}")
    endif()
  endforeach()
endforeach()

# The command's manual and the words of the shells come with it.
foreach(file IN ITEMS man/man1/weft.1 man/man1/weft-jobs.1 bash-completion/completions/weft
    zsh/site-functions/_weft fish/vendor_completions.d/weft.fish)
  if(NOT EXISTS "${WORK}/moved/share/${file}")
    message(FATAL_ERROR "share/${file} is not installed")
  endif()
endforeach()

# So does the unit of its workers, which starts it from where it was installed.
set(unit "${WORK}/moved/lib/systemd/system/weft-worker@.service")
file(STRINGS "${unit}" started REGEX "^ExecStart=")
if(NOT started STREQUAL "ExecStart=${WORK}/first/bin/weft work")
  message(FATAL_ERROR "${unit} says ${started}")
endif()

# DESTDIR puts the same tree under another root.
set(ENV{DESTDIR} "${WORK}/root")
run("${CMAKE_COMMAND}" --install "${WEFT_BUILD}" --prefix /usr)
if(NOT EXISTS "${WORK}/root/usr/${LIBDIR}/cmake/weft/weftConfig.cmake")
  message(FATAL_ERROR "DESTDIR was not respected")
endif()
file(STRINGS "${WORK}/root/usr/lib/systemd/system/weft-worker@.service" started REGEX "^ExecStart=")
if(NOT started STREQUAL "ExecStart=/usr/bin/weft work")
  message(FATAL_ERROR "the unit for /usr says ${started}")
endif()
