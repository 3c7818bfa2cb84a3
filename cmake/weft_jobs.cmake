# weft_jobs(<library>)
#
# Says that a library of yours contains closures. They register themselves before main by being written, but a
# linker leaves out what nothing refers to: members of a static library, and whole shared libraries. After this
# call every program that links the library, also through others, takes all of it.
function(weft_jobs library)
  get_target_property(type ${library} TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    target_link_options(${library} INTERFACE
      "LINKER:--whole-archive,$<TARGET_FILE:${library}>,--no-whole-archive")
  elseif(type STREQUAL "SHARED_LIBRARY")
    target_link_options(${library} INTERFACE
      "LINKER:--push-state,--no-as-needed,$<TARGET_FILE:${library}>,--pop-state")
  elseif(NOT type MATCHES "^(OBJECT_LIBRARY|EXECUTABLE)$")
    message(FATAL_ERROR "weft_jobs(${library}): a ${type} has no closures of its own")
  endif()
endfunction()
