// error: this argument does not convert to its parameter
#include "common.hpp"

void bad() {
  weft::closure c{[](std::string, int) {}, "x", "y"};
}
