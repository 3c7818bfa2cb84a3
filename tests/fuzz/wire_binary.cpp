// weft's binary form from outside: read, or refused with a weft::error, and what was read comes back the
// same.
#include <weft/wire/binary.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

#include "fuzz/described.hpp"

namespace {

using span = std::span<const std::byte>;

struct reader {
  span outside;
  fuzz::described operator()() const { return (*this)(outside); }
  fuzz::described operator()(span data) const { return weft::wire::from_binary<fuzz::described>(data); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const reader read{std::as_bytes(std::span(data, size))};
  fuzz::round_trip(read, [](const fuzz::described& value) { return weft::wire::to_binary(value); });
  return 0;
}
