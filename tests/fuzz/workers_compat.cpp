// Messages of the older worker protocol, as a client and as a worker read them: read, or refused with a
// weft::error; and a log that was read comes back the same.
#include <weft/core/error.hpp>
#include <weft/wire/json_value.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/check.hpp"
#include "workers/compat/log_data.hpp"
#include "workers/compat/message.hpp"

namespace {

namespace compat = weft::workers::detail::compat;

void read_log(const weft::wire::json_value& outside) {
  const auto log = compat::log_from(outside);
  const auto text = compat::log_to_text(log);
  if (text.empty()) return;
  const auto again = compat::log_from(weft::wire::parse_json(text));
  fuzz_check(again.records.size() == log.records.size() && again.timers.size() == log.timers.size(),
             "a log that was read can be written and read again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    auto message = weft::wire::parse_json({reinterpret_cast<const char*>(data), size}, 10'000);
    read_log(message);
    try {
      (void)compat::read_request(message);
    } catch (const weft::error&) {
    }
    read_log(compat::read_reply(std::move(message)).log);
  } catch (const weft::error&) {
  }
  return 0;
}
