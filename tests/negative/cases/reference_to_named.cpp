// error: this parameter is a reference to named<>, param<> or service<>. Take it by value
#include "common.hpp"

void bad() {
  weft::closure c{[](const weft::named<logger, "x">&) {}};
}
