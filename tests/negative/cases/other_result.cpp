// error: the function does not return the closure's result type
#include "common.hpp"

void bad() {
  weft::closure<int> c{[] { return std::string("x"); }};
}
