// error: there are fewer arguments than value parameters
#include "common.hpp"

void bad() {
  weft::closure c{[](mailer&, int) {}};
}
