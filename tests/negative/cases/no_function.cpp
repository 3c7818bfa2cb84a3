// error: the first argument is not a function
#include "common.hpp"

void bad() { weft::closure c{3}; }
