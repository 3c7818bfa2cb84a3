#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <string>

// Numbers as PostgreSQL sends and takes them: highest byte first.

namespace weft::inline v1::jobs::postgres {

template <std::unsigned_integral Number>
void store_number(char* at, Number value) noexcept {
  for (std::size_t i = sizeof(Number); i-- > 0; value = static_cast<Number>(value >> 8U)) {
    at[i] = static_cast<char>(value & 0xffU);
    if constexpr (sizeof(Number) == 1) return;
  }
}

template <std::unsigned_integral Number>
void append_number(std::string& to, Number value) {
  to.resize(to.size() + sizeof(Number));
  store_number(to.data() + to.size() - sizeof(Number), value);
}

template <std::unsigned_integral Number>
Number load_number(const char* at) noexcept {
  Number value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    if constexpr (sizeof(Number) > 1) value = static_cast<Number>(value << 8U);
    value = static_cast<Number>(value | static_cast<unsigned char>(at[i]));
  }
  return value;
}

}  // namespace weft::inline v1::jobs::postgres
