# weft_component(<name> SOURCES ... [USES <component>...] [PRIVATE_LIBRARIES ...])
#
# Declares the component <name>: target weft_<name>, alias weft::<name>. USES is the one place that
# says which components its headers and sources may include; the `layering` test compares it with
# the #include lines. PRIVATE_LIBRARIES are third-party targets that no public header mentions.
# The library is shared where BUILD_SHARED_LIBS is on. While the major version is 0 each minor version is an ABI.
function(weft_component name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES;PRIVATE_LIBRARIES" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "weft_component(${name}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()

  set(target weft_${name})
  if(arg_SOURCES)
    add_library(${target} ${arg_SOURCES})
    set(scope PUBLIC)
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src")
    target_link_libraries(${target} PRIVATE ${arg_PRIVATE_LIBRARIES})
    # No DEFINE_SYMBOL: the objects of a shared and of a static library are the same.
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON DEFINE_SYMBOL ""
      VERSION "${PROJECT_VERSION}" SOVERSION "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}"
      INSTALL_RPATH "$ORIGIN")
    weft_developer_flags(${target})
    weft_unity_build(${target})
    weft_stack_probes(${target} PRIVATE)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(weft::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(${target} ${scope} cxx_std_20)
  target_include_directories(${target} ${scope}
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
    "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  foreach(used IN LISTS arg_USES)
    target_link_libraries(${target} ${scope} weft::${used})
  endforeach()

  set_property(GLOBAL APPEND PROPERTY WEFT_COMPONENTS ${name})
  set_property(GLOBAL PROPERTY WEFT_USES_${name} "${arg_USES}")
  set_property(GLOBAL PROPERTY WEFT_LIBRARIES_${name} "${arg_PRIVATE_LIBRARIES}")
endfunction()

# Several sources become one for the compiler, which then reads the headers once for all of them. No component has a
# name twice in its unnamed namespaces. Each source still includes what it uses: builds with tests see to that.
function(weft_unity_build target)
  if(WEFT_UNITY_BUILD STREQUAL "AUTO" AND WEFT_DEVELOPER AND WEFT_TESTS)
    return()
  endif()
  if(WEFT_UNITY_BUILD)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 16)
    # These two take a name of another source's unnamed namespace for one of this source's, or of a header's.
    target_compile_options(${target} PRIVATE
      "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-subobject-linkage;-Wno-shadow>")
  endif()
endfunction()

# Frames larger than a page touch each of their pages, so that they cannot jump over the guard of a fiber's
# stack. Both compilers have it on the machines that weft runs on.
function(weft_stack_probes target scope)
  target_compile_options(${target} ${scope}
    "$<$<COMPILE_LANG_AND_ID:CXX,GNU,Clang>:-fstack-clash-protection>"
    "$<$<COMPILE_LANG_AND_ID:C,GNU,Clang>:-fstack-clash-protection>")
endfunction()

# Writes one line per component, `name: used used ... | library library ...`, for the layering test.
function(weft_write_component_list)
  get_property(names GLOBAL PROPERTY WEFT_COMPONENTS)
  set(text "")
  foreach(name IN LISTS names)
    get_property(uses GLOBAL PROPERTY WEFT_USES_${name})
    get_property(libraries GLOBAL PROPERTY WEFT_LIBRARIES_${name})
    list(JOIN uses " " uses)
    list(JOIN libraries " " libraries)
    string(APPEND text "${name}: ${uses} | ${libraries}\n")
  endforeach()
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/components.txt" CONTENT "${text}" @ONLY)
endfunction()

# Sanitizers, and warnings where a preset asks for them through WEFT_WARNINGS. Both are empty for
# somebody who only builds weft, so nothing of this reaches a consumer.
function(weft_developer_flags target)
  if(WEFT_SANITIZE)
    target_compile_options(${target} PRIVATE
      -fsanitize=${WEFT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${WEFT_SANITIZE})
  endif()
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${WEFT_WARNINGS}>")
  if(WEFT_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Instrumented code makes g++ 12 see uninitialised, overlapping and freed memory where there is none.
    target_compile_options(${target} PRIVATE
      "$<$<COMPILE_LANGUAGE:CXX>:-Wno-maybe-uninitialized;-Wno-restrict;-Wno-stringop-overflow;-Wno-array-bounds>")
  endif()
endfunction()
