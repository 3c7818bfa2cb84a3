// error: the factory returns a type that is neither the service's nor derived from it
#include "common.hpp"

void bad(weft::services& app) {
  app.add<mailer>([] { return logger{}; });
}
