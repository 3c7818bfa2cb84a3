// Bodies of multipart/form-data from anywhere. Read in small steps they give what they give at once, and a
// body that is made of some parts gives them back.
#include "fuzz/check.hpp"
#include "http/multipart/parser.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using weft::http::multipart_limits;
using weft::http::detail::multipart_parser;
using event = multipart_parser::event;

constexpr multipart_limits small{.parts_max = 4, .part_head_bytes_max = 200};

struct result {
  event how = event::more;
  int status = 0;
  std::string parts;
  std::size_t count = 0;
};

std::string length_and(std::string_view text) {
  return std::to_string(text.size()) + ":" + std::string(text);
}

result read(std::string_view body, std::size_t step_bytes) {
  multipart_parser parser("b", small);
  result all;
  std::string unread;
  std::string value;
  std::size_t given = 0;
  while (true) {
    const auto got = parser.advance(unread);
    fuzz_check(got.consumed <= unread.size(), "a step stays in its buffer");
    if (got.what == event::data) {
      fuzz_check(!got.data.empty(), "there is no empty piece");
      value += got.data;
    } else if (got.what == event::part) {
      ++all.count;
      fuzz_check(parser.part().name.size() <= small.part_head_bytes_max, "a name keeps its bound");
      all.parts += length_and(parser.part().name) +
                   (parser.part().file_name ? length_and(*parser.part().file_name) : "-") +
                   length_and(parser.part().content_type);
      value.clear();
    } else if (got.what == event::part_end) {
      all.parts += length_and(value);
    }
    unread.erase(0, got.consumed);
    all.how = got.what;
    if (got.what == event::refused) {
      all.status = parser.why_refused().status;
      return all;
    }
    if (got.what != event::more && (got.what != event::end || !unread.empty())) continue;
    if (given == body.size()) return all;
    const std::string_view piece = body.substr(given, step_bytes);
    given += piece.size();
    unread += piece;
  }
}

void check_cut(std::string_view body, std::size_t step_bytes) {
  const result whole = read(body, body.size());
  const result steps = read(body, step_bytes);
  fuzz_check(whole.how == steps.how && whole.status == steps.status,
             "the end does not depend on how the bytes were cut");
  fuzz_check(whole.count <= small.parts_max, "the number of parts keeps its bound");
  if (whole.how != event::refused)
    fuzz_check(whole.parts == steps.parts, "the parts do not depend on how the bytes were cut");
}

void check_round_trip(std::string_view value, std::size_t step_bytes) {
  if (value.find("\r\n--b") != std::string_view::npos) return;  // who sends it takes another boundary then
  const std::string head = "--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n";
  const std::string body = head + std::string(value) + "\r\n" + head + "2\r\n--b--\r\n";
  const result got = read(body, step_bytes);
  fuzz_check(got.how == event::end, "what was written is read to its end");
  fuzz_check(got.parts == "1:n-0:" + length_and(value) + "1:n-0:1:2",
             "what was written is read as the same parts");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  const std::size_t step = 1 + data[0] % 32;
  check_cut(text, step);
  check_round_trip(text, step);
  weft::http::detail::multipart_boundary(text);
  return 0;
}
