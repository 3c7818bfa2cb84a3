// error: this argument would lose its fraction
#include "common.hpp"

void bad() {
  weft::closure c{[](int) {}, 1.5};
}
