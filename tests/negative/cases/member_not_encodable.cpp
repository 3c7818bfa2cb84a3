// error: a described member has a type that cannot be encoded
#include "common.hpp"

struct holder {
  not_described inner;
};
WEFT_DESCRIBE(holder, inner);
void bad(weft::encoder& out) { weft::encode(out, holder{}); }
