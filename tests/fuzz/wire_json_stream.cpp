// JSON values of a stream. However it is cut, the same values come out, or the same refusal; and what was
// read comes back the same.
#include <weft/core/error.hpp>
#include <weft/wire/json_stream.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/check.hpp"

namespace {

struct result {
  std::vector<weft::wire::json_value> values;
  std::optional<weft::errc> refused;

  bool operator==(const result&) const = default;
};

result read_all(std::string_view text, std::size_t step_bytes) {
  weft::wire::json_stream stream{1000};
  result all;
  try {
    while (!text.empty()) {
      const auto more = text.substr(0, step_bytes);
      text.remove_prefix(more.size());
      stream.append(more);
      while (auto value = stream.next()) all.values.push_back(std::move(*value));
    }
  } catch (const weft::error& refused) {
    all.refused = refused.code();
  }
  return all;
}

// Nothing where a number is infinite.
std::optional<std::string> write(const weft::wire::json_value& value) {
  try {
    return to_text(value);
  } catch (const weft::error& refused) {
    fuzz_check(refused.code() == weft::errc::invalid_argument, "only infinite numbers cannot be written");
    return std::nullopt;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const result whole = read_all(text, text.size() + 1);
  fuzz_check(read_all(text, 1 + data[0] % 40U) == whole, "values do not depend on how the bytes were cut");
  for (const auto& value : whole.values) {
    const auto written = write(value);
    fuzz_check(!written || weft::wire::parse_json(*written) == value,
               "what was written is read as the same value");
  }
  return 0;
}
