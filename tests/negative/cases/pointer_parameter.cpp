// error: this parameter is a pointer, which means nothing in another process
#include "common.hpp"

void bad() {
  weft::closure c{[](mailer&, const char*) {}, "x"};
}
