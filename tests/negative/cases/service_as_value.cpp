// error: this parameter is neither a service (T&) nor a value that weft can encode
#include "common.hpp"

void bad() {
  weft::closure c{[](mailer) {}, mailer{}};
}
