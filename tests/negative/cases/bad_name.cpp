// error: a name is 1 to 128 letters, digits and _ . : / -
#include "common.hpp"

void bad() {
  weft::closure c{weft::named_closure<"a name">([] {})};
}
