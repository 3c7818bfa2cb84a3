// A log of a foreign end, as `weft log view` shows it: whatever is in a line, it is shown without control
// characters but the ends of lines, or refused with a weft::error.
#include <weft/core/error.hpp>
#include <weft/logbook/defer.hpp>
#include <weft/wire/json_value.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cli/log_text.hpp"
#include "fuzz/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  try {
    const auto log = weft::logbook::from_line({reinterpret_cast<const char*>(data + 1), size - 1});
    weft::cli::log_style style;
    style.verbosity = 1000;
    style.width = data[0];
    style.since_now = (data[0] & 1U) != 0;
    const auto text = weft::cli::log_text(log, style, {});
    const bool quiet = std::none_of(text.begin(), text.end(), [](char one) {
      return (static_cast<unsigned char>(one) < ' ' && one != '\n') || one == '\x7f';
    });
    fuzz_check(quiet, "a log that is shown has no control characters");
  } catch (const weft::error&) {
  }
  return 0;
}
