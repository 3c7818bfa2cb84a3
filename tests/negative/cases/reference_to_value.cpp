// error: this parameter is a reference to a plain value. References are services
#include "common.hpp"

void bad() {
  weft::closure c{[](mailer&, const std::string&) {}, "x"};
}
