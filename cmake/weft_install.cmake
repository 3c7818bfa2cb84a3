# Install rules, the CMake package and the pkg-config file. Only read where weft is the top project;
# everything installed is found relative to the package files, so the prefix may be moved.
include(CMakePackageConfigHelpers)

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/weft")

get_property(components GLOBAL PROPERTY WEFT_COMPONENTS)
list(TRANSFORM components PREPEND weft_ OUTPUT_VARIABLE targets)
list(APPEND targets weft_preemption)
if(NOT BUILD_SHARED_LIBS)  # else nobody who uses weft links them
  list(APPEND targets weft_sqlite weft_libdw weft_cctz weft_tomlplusplus)
  if(WEFT_HAS_POSTGRES)
    list(APPEND targets weft_libpq)
  endif()
  if(WEFT_HAS_HTTP2)
    list(APPEND targets weft_nghttp2)
  endif()
endif()
install(TARGETS ${targets} EXPORT weftTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT dev
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT runtime NAMELINK_COMPONENT dev)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/weft" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT dev)
if(TARGET weft_command)
  install(TARGETS weft_command RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT tool)
  # The command writes its own manual and what completes its words.
  if(NOT CMAKE_CROSSCOMPILING)
    set(WEFT_COMMAND "$<TARGET_FILE:weft_command>")
    configure_file("${CMAKE_CURRENT_LIST_DIR}/weft_install_shell.cmake.in"
      "${PROJECT_BINARY_DIR}/weft_install_shell.cmake.in" @ONLY)
    file(GENERATE OUTPUT "${PROJECT_BINARY_DIR}/weft_install_shell.cmake"
      INPUT "${PROJECT_BINARY_DIR}/weft_install_shell.cmake.in")
    install(SCRIPT "${PROJECT_BINARY_DIR}/weft_install_shell.cmake" COMPONENT tool)
  endif()
endif()
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/README.md" "${PROJECT_SOURCE_DIR}/CHANGELOG.md"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT dev)

# Units of systemd for the command.
if(TARGET weft_command)
  install(CODE "set(WEFT_UNITS \"${PROJECT_SOURCE_DIR}/packaging/systemd\")\nset(WEFT_BINDIR \"${CMAKE_INSTALL_BINDIR}\")"
    COMPONENT tool)
  install(SCRIPT "${CMAKE_CURRENT_LIST_DIR}/weft_install_units.cmake" COMPONENT tool)
endif()

# find_package(weft): from the installed tree, and from a build tree through weft_DIR.
set(WEFT_IS_SHARED OFF)
if(BUILD_SHARED_LIBS)
  set(WEFT_IS_SHARED ON)
endif()
set(WEFT_FINDS_SQLITE ON)
if(WEFT_SQLITE_SOURCE)
  set(WEFT_FINDS_SQLITE OFF)
endif()
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/weftConfig.cmake.in" "${PROJECT_BINARY_DIR}/weftConfig.cmake"
  INSTALL_DESTINATION "${package_folder}"
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/weftConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
file(COPY "${PROJECT_SOURCE_DIR}/cmake/weft_jobs.cmake" "${PROJECT_SOURCE_DIR}/cmake/weft_preemptible.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/weft_simulated_test.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/weft_check_captures.cmake" "${PROJECT_SOURCE_DIR}/cmake/weft_captures.py"
  DESTINATION "${PROJECT_BINARY_DIR}")
install(FILES "${PROJECT_BINARY_DIR}/weftConfig.cmake" "${PROJECT_BINARY_DIR}/weftConfigVersion.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/weft_jobs.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/weft_preemptible.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/weft_simulated_test.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/weft_check_captures.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/weft_captures.py"
  DESTINATION "${package_folder}" COMPONENT dev)
install(FILES "${PROJECT_SOURCE_DIR}/tools/gdb/weft.py" DESTINATION "${CMAKE_INSTALL_DATADIR}/weft/gdb" COMPONENT dev)
install(EXPORT weftTargets NAMESPACE weft:: DESTINATION "${package_folder}" COMPONENT dev)
export(EXPORT weftTargets NAMESPACE weft:: FILE "${PROJECT_BINARY_DIR}/weftTargets.cmake")

# pkg-config: the libraries, highest first as the linker wants static ones. (What is preloaded is none of them.)
list(REVERSE components)
list(REMOVE_ITEM components hook)
set(WEFT_PC_LIBRARIES "")
foreach(component IN LISTS components)
  get_target_property(type weft_${component} TYPE)
  if(type MATCHES "^(STATIC|SHARED)_LIBRARY$")
    string(APPEND WEFT_PC_LIBRARIES " -lweft_${component}")
  endif()
endforeach()
set(WEFT_PC_THIRD_PARTY "")
set(WEFT_PC_REQUIRES "libssl >= 3.0, libcrypto >= 3.0, libdw >= 0.188, zlib >= 1.2.13")
if(WEFT_SQLITE_SOURCE)
  set(WEFT_PC_THIRD_PARTY " -lweft_sqlite -lm")
else()
  string(APPEND WEFT_PC_REQUIRES ", sqlite3 >= 3.40")
endif()
if(WEFT_HAS_POSTGRES)
  string(APPEND WEFT_PC_REQUIRES ", libpq >= 14")
endif()
if(WEFT_HAS_HTTP2)
  string(APPEND WEFT_PC_REQUIRES ", libnghttp2 >= 1.52")
endif()
string(APPEND WEFT_PC_THIRD_PARTY " -lboost_json -lcctz")
if(BUILD_SHARED_LIBS)
  set(WEFT_PC_REQUIRES "")  # pkg-config would want the headers of all of them
else()
  string(APPEND WEFT_PC_LIBRARIES "${WEFT_PC_THIRD_PARTY}")
endif()
file(RELATIVE_PATH WEFT_PC_TO_PREFIX
  "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
string(REGEX REPLACE "/$" "" WEFT_PC_TO_PREFIX "${WEFT_PC_TO_PREFIX}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/weft.pc.in" "${PROJECT_BINARY_DIR}/weft.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/weft.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT dev)

include(weft_packages)
