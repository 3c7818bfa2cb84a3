#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <weft/context/context.hpp>

#include "context/keys.hpp"

// Any bytes give a context or the error malformed; what was read can be written and read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  try {
    const auto read = context::from_wire(std::string_view(reinterpret_cast<const char*>(data), size));
    const auto bytes = read.to_wire(wire_policy::worker);
    if (context::from_wire(bytes).to_wire(wire_policy::worker) != bytes) std::abort();
    static_cast<void>(testing::user.find());
  } catch (const error& refused) {
    if (refused.code() != errc::malformed) std::abort();
  }
  return 0;
}
