// error: the function returns a type that weft cannot encode
#include "common.hpp"

void bad() {
  weft::closure c{[] { return not_described{}; }};
}
