// error: this parameter is the container as a value. Write weft::services&
#include "common.hpp"

void bad() {
  weft::closure c{[](weft::services) {}};
}
