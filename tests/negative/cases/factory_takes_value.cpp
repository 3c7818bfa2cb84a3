// error: a factory takes services (T&), named<>, param<> and services&, but no values
#include "common.hpp"

void bad(weft::services& app) {
  app.add<mailer>([](int) { return mailer{}; });
}
