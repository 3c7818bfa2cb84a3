// Frames of a stream. However it is cut, the same frames come out, or the same refusal, and they are the
// bytes that went in.
#include <weft/core/error.hpp>
#include <weft/wire/frame.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "fuzz/check.hpp"

namespace {

using span = std::span<const std::byte>;

struct result {
  std::vector<weft::wire::frame> frames;
  std::optional<weft::errc> refused;

  bool operator==(const result&) const = default;
};

result read_all(span stream, std::size_t step_bytes) {
  constexpr std::size_t payload_bytes_max = 100;
  weft::wire::frame_reader reader{payload_bytes_max};
  result all;
  try {
    while (!stream.empty()) {
      const span more = stream.first(std::min(step_bytes, stream.size()));
      stream = stream.subspan(more.size());
      reader.append(more);
      while (auto frame = reader.next()) all.frames.push_back(std::move(*frame));
    }
  } catch (const weft::error& refused) {
    all.refused = refused.code();
  }
  for (const auto& frame : all.frames)
    fuzz_check(frame.payload.size() <= payload_bytes_max, "a payload keeps its bound");
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const span stream = std::as_bytes(std::span(data + 1, size - 1));
  const result whole = read_all(stream, stream.size() + 1);
  fuzz_check(read_all(stream, 1 + data[0] % 40) == whole, "frames do not depend on how the bytes were cut");

  weft::bytes again;
  for (const auto& frame : whole.frames) {
    weft::wire::append_frame(again, frame.type, frame.flags, frame.request_id, frame.payload);
  }
  fuzz_check(again.size() <= stream.size() && std::equal(again.begin(), again.end(), stream.begin()),
             "a frame has one form");
  return 0;
}
