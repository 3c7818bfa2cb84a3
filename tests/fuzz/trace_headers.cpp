#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <weft/trace/propagation.hpp>

#include "fuzz/check.hpp"
#include "trace/keys.hpp"

// Any headers give a context. What it writes is within its bounds and is read as the same again, by the next
// service and by a worker or a job. Input: lines of the form `name: value`.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  trace::incoming came;
  for (std::string_view rest(reinterpret_cast<const char*>(data), size); !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + (line.size() < rest.size() ? 1 : 0));
    const auto colon = line.find(':');
    if (colon != std::string_view::npos) came.add(line.substr(0, colon), line.substr(colon + 1));
  }
  const context here = came.on(context());
  const auto sent = trace::to_headers(here);
  for (const auto& one : sent) {
    fuzz_check(one.value.size() <= trace::baggage_bytes_max, "no header is over its bound");
    fuzz_check(one.name != "tracestate" || one.value.size() <= trace::trace_state::bytes_max,
               "tracestate is within its bound");
    for (const char c : one.value)
      fuzz_check(c == '\t' || (c >= 0x20 && c < 0x7f), "only visible characters");
  }
  fuzz_check(trace::to_headers(trace::from_headers(sent, context())) == sent,
             "the next service sends the same");
  const auto bytes = here.to_wire(wire_policy::job);
  fuzz_check(context::from_wire(bytes).to_wire(wire_policy::job) == bytes, "a job finds the same");
  for (const auto& one : trace::current_baggage(here)) static_cast<void>(one.value());
  static_cast<void>(testing::user.find());
  return 0;
}
