// error: this parameter is a T&&. Arguments are values: write T
#include "common.hpp"

void bad() {
  weft::closure c{[](std::string&&) {}, "x"};
}
