#pragma once

#include <string>

#include <weft/closure/closure.hpp>

// Closures in functions that nobody calls, in a header, and in a local class.
namespace never_run {

struct marker {
  bool never_run = false;
};
WEFT_DESCRIBE(marker, never_run);

inline constexpr unsigned line = __LINE__ + 3;

[[maybe_unused]] inline void named() {
  weft::closure c{weft::named_closure<"never.run">([](std::string) {}), "x"};
}

struct holder {
  [[maybe_unused]] void unnamed() const {
    weft::closure first{[](marker) {}, marker{}};
    weft::closure second{[](marker) {}, marker{}};
  }
};

}  // namespace never_run
