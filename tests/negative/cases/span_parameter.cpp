// error: this parameter is a view that does not own its text or items
#include "common.hpp"

void bad(std::span<int> numbers) {
  weft::closure c{[](std::span<int>) {}, numbers};
}
