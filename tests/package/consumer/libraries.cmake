# Libraries to which nothing refers, and which weft_jobs() must bring into a program all the same, also
# through a library in between.
foreach(kind IN ITEMS static shared)
  string(TOUPPER ${kind} type)
  add_library(registers_${kind} ${type} "${CMAKE_CURRENT_LIST_DIR}/registers.cpp")
  target_compile_definitions(registers_${kind} PRIVATE KIND="${kind}")
  weft_jobs(registers_${kind})
  add_library(user_of_${kind} STATIC "${CMAKE_CURRENT_LIST_DIR}/nothing.cpp")
  target_link_libraries(user_of_${kind} PRIVATE registers_${kind})
endforeach()

# A simulated test of a user's own.
weft_add_simulated_test(simulated SOURCES "${CMAKE_CURRENT_LIST_DIR}/simulated.cpp" SEEDS 200)
