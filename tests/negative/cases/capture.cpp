// error: the lambda captures. Pass values as arguments after it
#include "common.hpp"

void bad(int id) {
  weft::closure c{[id](mailer&) { (void)id; }};
}
