// A user of weft outside its tree.
#include <weft/core/error.hpp>

#include <cstdlib>
#include <iostream>

int main() {
  for (const char* kind : {"REGISTERED_static", "REGISTERED_shared"}) {
    if (std::getenv(kind) == nullptr) {
      std::cerr << kind << ": weft_jobs did not bring the library in\n";
      return 1;
    }
  }
  try {
    throw weft::error(weft::errc::not_found, "consumer: nothing to do");
  } catch (const weft::error& caught) {
    std::cout << caught.what() << "\n";
  }
}
