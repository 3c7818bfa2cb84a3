// Chunked bodies from anywhere. Decoding in place in small steps gives what decoding at once gives.
#include "fuzz/check.hpp"
#include "http/chunk_decoder.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using weft::http::detail::chunk_decoder;
using weft::http::detail::progress;

constexpr weft::http::limits small{.body_bytes_max = 1000};

struct result {
  progress how = progress::more;
  std::string body;
  std::size_t consumed = 0;
};

result decode_at_once(std::string_view text) {
  chunk_decoder decoder{small};
  result all;
  all.body.resize(text.size());
  const auto step = decoder.advance(text, all.body.data());
  all.how = step.how;
  all.consumed = step.consumed;
  all.body.resize(step.written);
  return all;
}

result decode_in_steps(std::string_view text, std::size_t step_bytes) {
  chunk_decoder decoder{small};
  result all;
  std::string buffer;  // what is not dealt with yet
  std::size_t given = 0;
  while (all.how == progress::more && given < text.size()) {
    const std::string_view more = text.substr(given, step_bytes);
    given += more.size();
    buffer += more;
    const auto step = decoder.advance(buffer, buffer.data());
    fuzz_check(step.consumed <= buffer.size() && step.written <= step.consumed, "a step stays in its buffer");
    all.how = step.how;
    all.consumed += step.consumed;
    all.body.append(buffer, 0, step.written);
    buffer.erase(0, step.consumed);
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  const result whole = decode_at_once(text);
  const result steps = decode_in_steps(text, 1 + data[0] % 32);
  fuzz_check(steps.how == whole.how, "the end does not depend on how the bytes were cut");
  fuzz_check(whole.body.size() <= small.body_bytes_max, "the body keeps its bound");
  if (whole.how == progress::refused) return 0;
  fuzz_check(steps.body == whole.body, "the body does not depend on how the bytes were cut");
  fuzz_check(whole.how != progress::done || steps.consumed == whole.consumed,
             "the end of the body is at one place");
  return 0;
}
