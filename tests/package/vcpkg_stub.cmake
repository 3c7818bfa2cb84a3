# As much of vcpkg as packaging/vcpkg/portfile.cmake uses. Prints what the port asks for, one a line:
#   cmake -D PORT=<folder> -D FEATURES=<a;b> -D WORK=<folder> -P vcpkg_stub.cmake
cmake_minimum_required(VERSION 3.25)
set(CURRENT_PACKAGES_DIR "${WORK}/packages")

# Every feature that is listed becomes its option, on or off.
function(vcpkg_check_features)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "OUT_FEATURE_OPTIONS" "FEATURES")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "vcpkg_check_features: unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  set(options "")
  while(arg_FEATURES)
    list(POP_FRONT arg_FEATURES feature option)
    if(feature IN_LIST FEATURES)
      list(APPEND options "-D${option}=ON")
    else()
      list(APPEND options "-D${option}=OFF")
    endif()
  endwhile()
  set(${arg_OUT_FEATURE_OPTIONS} "${options}" PARENT_SCOPE)
endfunction()

function(vcpkg_cmake_configure)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "SOURCE_PATH" "OPTIONS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "vcpkg_cmake_configure: unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  message(NOTICE "source ${arg_SOURCE_PATH}")
  foreach(option IN LISTS arg_OPTIONS)
    message(NOTICE "option ${option}")
  endforeach()
endfunction()

foreach(step vcpkg_cmake_install vcpkg_cmake_config_fixup vcpkg_fixup_pkgconfig vcpkg_copy_tools vcpkg_install_copyright)
  cmake_language(EVAL CODE "
    function(${step})
      string(REPLACE \";\" \" \" words \"\${ARGV}\")
      message(NOTICE \"${step} \${words}\")
    endfunction()")
endforeach()

include("${PORT}/portfile.cmake")
