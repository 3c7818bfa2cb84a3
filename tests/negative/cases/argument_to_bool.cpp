// error: this argument would become a bool. Pass true or false
#include "common.hpp"

void bad() {
  weft::closure c{[](bool) {}, "x"};
}
