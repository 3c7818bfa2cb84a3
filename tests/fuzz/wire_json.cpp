// JSON from outside: read, or refused with a weft::error, and what was read comes back the same.
#include <weft/wire/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/described.hpp"

namespace {

struct reader {
  std::string_view outside;
  fuzz::described operator()() const { return (*this)(outside); }
  fuzz::described operator()(std::string_view text) const {
    return weft::wire::from_json<fuzz::described>(text);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const reader read{{reinterpret_cast<const char*>(data), size}};
  fuzz::round_trip(read, [](const fuzz::described& value) { return weft::wire::to_json(value); });
  return 0;
}
