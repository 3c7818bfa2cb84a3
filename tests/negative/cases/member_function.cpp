// error: a member function has no object in another process
#include "common.hpp"

struct object {
  void method(int);
};
void bad() { weft::closure c{&object::method, 3}; }
