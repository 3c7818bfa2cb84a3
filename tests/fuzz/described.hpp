#pragma once

#include <weft/codec/codec.hpp>
#include <weft/codec/describe.hpp>
#include <weft/core/error.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "fuzz/check.hpp"

namespace fuzz {

/// Something of every kind that a codec reads.
struct described {
  std::int64_t number = 0;
  std::uint8_t small = 0;
  double real = 0;
  bool yes = false;
  std::string text;
  weft::bytes raw;
  std::optional<std::vector<std::string>> list;
  std::map<std::string, std::int32_t> map;
  std::variant<std::int64_t, std::string> either;
};
WEFT_DESCRIBE(described, number, small, real, yes, text, raw, list, map, either);

/// What came in and can be read is written in one form: written, read and written again it is the same.
template <typename Read, typename Write>
void round_trip(Read&& read, Write&& write) {
  std::optional<described> value;
  try {
    value = read();
  } catch (const weft::error&) {
    return;
  }
  try {
    const auto once = write(*value);
    fuzz_check(write(read(once)) == once, "what was written is read as the same value");
  } catch (const weft::error&) {
    fuzz_check(false, "what was read can be written and read again");
  }
}

}  // namespace fuzz
