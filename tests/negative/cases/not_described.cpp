// error: this parameter is neither a service (T&) nor a value that weft can encode
#include "common.hpp"

void bad() {
  weft::closure c{[](not_described) {}, not_described{}};
}
