// Request heads from anywhere. However the bytes are cut, and wherever the buffer moves meanwhile, the
// parser comes to the same end, and its views lie in the buffer.
#include "fuzz/check.hpp"
#include "http/head_parser.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace {

using weft::http::detail::progress;
using weft::http::detail::request_head;
using weft::http::detail::request_parser;

constexpr weft::http::limits small{
    .request_line_bytes_max = 64, .head_bytes_max = 256, .header_count_max = 6, .body_bytes_max = 1000};

bool same(const request_head& a, const request_head& b) {
  const auto equal = [](const auto& x, const auto& y) { return x.name == y.name && x.value == y.value; };
  return a.method == b.method && a.target == b.target && a.path == b.path && a.query == b.query &&
         a.host == b.host && a.minor_version == b.minor_version && a.body == b.body &&
         a.content_length == b.content_length && a.keep_alive == b.keep_alive &&
         a.expects_continue == b.expects_continue &&
         std::equal(a.fields.begin(), a.fields.end(), b.fields.begin(), b.fields.end(), equal);
}

// Feeds `text` in steps; each time the buffer is another one, of exactly the bytes so far.
progress feed(request_parser& parser, std::string_view text, std::size_t step, std::vector<char>& buffer) {
  for (std::size_t size = step;; size += step) {
    const std::string_view so_far = text.substr(0, size);
    std::vector<char> next{so_far.begin(), so_far.end()};
    parser.rebase(buffer.data(), next.data());
    buffer.swap(next);
    const progress how = parser.advance({buffer.data(), buffer.size()});
    if (how != progress::more || size >= text.size()) return how;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t step = 1 + data[0] % 32;
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};

  request_parser whole{small};
  const progress expected = whole.advance(text);
  request_parser parser{small};
  std::vector<char> buffer;
  const progress got = feed(parser, text, step, buffer);

  fuzz_check(got == expected, "the end does not depend on how the bytes were cut");
  if (got == progress::refused) {
    const int status = parser.why_refused().status;
    fuzz_check(status >= 400 && status < 600, "a refusal has an error status");
    fuzz_check(status == whole.why_refused().status, "the refusal does not depend on how the bytes were cut");
  }
  if (got != progress::done) return 0;
  fuzz_check(same(parser.head(), whole.head()), "the head does not depend on how the bytes were cut");
  fuzz_check(parser.head_bytes() == whole.head_bytes() && whole.head_bytes() <= small.head_bytes_max + 1,
             "the head keeps its bound, its last line feed not counted");
  fuzz_check(whole.head().fields.size() <= small.header_count_max, "the number of fields keeps its bound");
  fuzz_check(whole.head().content_length < 1'000'000'000'000'000'000u, "an announced length is a number");
  return 0;
}
