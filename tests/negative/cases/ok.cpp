// error: none
#include "common.hpp"

// The frame of the other cases, without a mistake: it compiles.
void good(const user_id& id) {
  weft::closure c{[](mailer&, weft::named<logger, "payment">, weft::param<std::string, "mail.key">, user_id,
                     std::string) {},
                  id, "text"};
}
