// Response heads from anywhere. However the bytes are cut, the parser comes to the same end.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/check.hpp"
#include "http/head_parser.hpp"

namespace {

using weft::http::detail::progress;
using weft::http::detail::response_parser;

constexpr weft::http::limits small{
    .request_line_bytes_max = 64, .head_bytes_max = 256, .header_count_max = 6, .body_bytes_max = 1000};

constexpr std::string_view methods[] = {"GET", "HEAD", "POST"};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view method = methods[data[0] % 3];
  const std::size_t step = 1 + data[0] / 3 % 32;
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};

  response_parser whole{small};
  whole.restart(method);
  const progress expected = whole.advance(text);

  response_parser parser{small};
  parser.restart(method);
  progress got = progress::more;
  for (std::size_t given = step; got == progress::more; given += step) {
    got = parser.advance(text.substr(0, given));
    if (given >= text.size()) break;
  }
  fuzz_check(got == expected, "the end does not depend on how the bytes were cut");
  if (got != progress::done) return 0;
  fuzz_check(parser.head().status == whole.head().status && parser.head().body == whole.head().body &&
                 parser.head().content_length == whole.head().content_length &&
                 parser.head().fields.size() == whole.head().fields.size() &&
                 parser.head_bytes() == whole.head_bytes(),
             "the head does not depend on how the bytes were cut");
  fuzz_check(whole.head().status >= 100 && whole.head().status <= 999, "a status has three digits");
  return 0;
}
