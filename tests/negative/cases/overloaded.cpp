// error: the call operator is generic (an 'auto' parameter) or overloaded
#include "common.hpp"

struct two {
  void operator()(int) {}
  void operator()(long) {}
};
void bad() { weft::closure c{two{}, 3}; }
