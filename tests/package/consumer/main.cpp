// A user of weft outside its tree.
#include <weft/core/error.hpp>

#include <iostream>

int main() {
  try {
    throw weft::error(weft::errc::not_found, "consumer: nothing to do");
  } catch (const weft::error& caught) {
    std::cout << caught.what() << "\n";
  }
}
