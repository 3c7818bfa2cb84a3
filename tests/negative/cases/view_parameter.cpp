// error: this parameter is a view that does not own its text or items. Write std::string
#include "common.hpp"

void bad() {
  weft::closure c{[](mailer&, std::string_view) {}, "x"};
}
