# The program that README.md and the first page of the documents show is examples/hello, byte by byte.
foreach(page IN ITEMS README.md docs/index.md)
  string(MAKE_C_IDENTIFIER "${page}" name)
  add_test(NAME readme.${name}_shows_examples_hello
    COMMAND Python3::Interpreter -c
      "import sys\nshown = open(sys.argv[1]).read().split('```cpp\\n', 1)[1].split('```', 1)[0]\nsys.exit(shown != open(sys.argv[2]).read() and sys.argv[1] + ' shows another program than examples/hello')"
      "${PROJECT_SOURCE_DIR}/${page}" "${PROJECT_SOURCE_DIR}/examples/hello/hello.cpp")
endforeach()
