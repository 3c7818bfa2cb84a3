// error: there are more arguments than value parameters
#include "common.hpp"

void bad() {
  weft::closure c{[](mailer&) {}, mailer{}};
}
