// error: the function returns a reference. Results travel as values
#include "common.hpp"

void bad() {
  weft::closure c{[](mailer& m) -> mailer& { return m; }};
}
