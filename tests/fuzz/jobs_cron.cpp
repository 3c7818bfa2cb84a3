#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <weft/core/error.hpp>
#include <weft/jobs/cron.hpp>

#include "fuzz/check.hpp"

// Any text is refused in words, or it is due again and again.

namespace {

using namespace weft::jobs;

std::optional<cron> parsed(std::string_view text) {
  try {
    return cron(text, time_zone("Europe/Berlin"));
  } catch (const weft::error& refused) {
    fuzz_check(refused.code() == weft::errc::invalid_argument, "it is refused as wrong input");
    for (const char c : refused.message()) fuzz_check(c >= 0x20 && c <= 0x7e, "a refusal is printable");
    return std::nullopt;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto schedule = parsed(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!schedule) return 0;
  moment at = std::chrono::sys_days(std::chrono::year(2026) / 3 / 28);
  for (int i = 0; i < 8; ++i) {
    const moment next = schedule->next_after(at);
    fuzz_check(next > at, "the next time is later");
    fuzz_check(next == std::chrono::floor<std::chrono::seconds>(next), "it is a whole second");
    fuzz_check(schedule->next_after(next - std::chrono::microseconds(1)) == next,
               "it is the next one up to then");
    if (next >= moment(std::chrono::sys_days(std::chrono::year(2390) / 1 / 1))) break;
    at = next;
  }
  return 0;
}
