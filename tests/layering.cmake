# Includes go downwards only: the #include lines against what the components declare.
add_test(NAME layering
  COMMAND Python3::Interpreter -B "${CMAKE_CURRENT_SOURCE_DIR}/layering.py" "${PROJECT_SOURCE_DIR}"
          "${PROJECT_BINARY_DIR}/components.txt")
add_test(NAME layering.finds_what_it_looks_for
  COMMAND Python3::Interpreter -B "${CMAKE_CURRENT_SOURCE_DIR}/layering_test.py")

# ./dev lint checks what changed, and only that.
add_test(NAME when_changed
  COMMAND Python3::Interpreter -B "${CMAKE_CURRENT_SOURCE_DIR}/when_changed_test.py"
          "${PROJECT_SOURCE_DIR}/tools/when_changed.py" "${CMAKE_CXX_COMPILER}")
