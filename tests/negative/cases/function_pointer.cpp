// error: a function pointer has no identity of its own. Write weft::function<&f>
#include "common.hpp"

void send(mailer&, int);
void bad() { weft::closure c{&send, 3}; }
