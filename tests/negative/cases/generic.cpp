// error: the call operator is generic (an 'auto' parameter) or overloaded
#include "common.hpp"

void bad() {
  weft::closure c{[](auto x) { (void)x; }, 3};
}
