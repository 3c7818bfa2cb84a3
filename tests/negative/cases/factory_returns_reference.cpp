// error: a factory returns the object, not a reference
#include "common.hpp"

void bad(weft::services& app) {
  static mailer one;
  app.add<mailer>([]() -> mailer& { return one; });
}
