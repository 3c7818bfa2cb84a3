# The program that README.md shows is examples/hello, byte by byte.
add_test(NAME readme.shows_examples_hello
  COMMAND Python3::Interpreter -c
    "import sys\nshown = open(sys.argv[1]).read().split('```cpp\\n', 1)[1].split('```', 1)[0]\nsys.exit(shown != open(sys.argv[2]).read() and 'README.md shows another program than examples/hello')"
    "${PROJECT_SOURCE_DIR}/README.md" "${PROJECT_SOURCE_DIR}/examples/hello/hello.cpp")
