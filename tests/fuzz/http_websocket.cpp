// Frames of WebSockets, offers of compression, and compressed messages and bodies from anywhere. A head that
// is read is written as it was; what is unpacked keeps its bounds, however it is cut; what was packed comes
// back.
#include "fuzz/check.hpp"
#include "http/websocket/frame.hpp"
#include "http/websocket/permessage_deflate.hpp"

#include <weft/core/error.hpp>
#include <weft/http/compression.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace weft::http;
using detail::message_deflate;

void check_head(std::string_view bytes, bool masked, bool compressed) {
  using outcome = detail::read_head::outcome;
  const auto got = detail::parse_frame_head(bytes, masked, compressed);
  for (std::size_t cut = 0; cut < bytes.size() && cut < detail::frame_head_bytes_max; ++cut) {
    const auto part = detail::parse_frame_head(bytes.substr(0, cut), masked, compressed);
    if (got.how == outcome::done)
      fuzz_check(part.how == (cut < got.bytes ? outcome::more : outcome::done),
                 "a head is done when all of it is there");
    if (got.how == outcome::more) fuzz_check(part.how == outcome::more, "less is not enough either");
  }
  if (got.how != outcome::done) return;
  fuzz_check(got.head.mask.has_value() == masked, "the mask is there where it has to be");
  fuzz_check(compressed || !got.head.is_compressed, "nothing is compressed that was not agreed on");
  fuzz_check(!(detail::is_control(got.head.what) && got.head.is_compressed),
             "no control frame is compressed");
  std::string written;
  detail::append_frame_head(written, got.head);
  fuzz_check(written == bytes.substr(0, got.bytes), "a head has one form");
}

void check_offer(std::string_view text) {
  const header fields[] = {{"Sec-WebSocket-Extensions", text}};
  for (const bool keeps : {false, true}) {
    const websocket_compression options{.keeps_context = keeps};
    std::string answer;
    const auto agreed = detail::accept_deflate_offer(fields, options, answer);
    fuzz_check(agreed.has_value() == !answer.empty(), "what is agreed on is answered");
    if (!agreed) continue;
    fuzz_check(agreed->own_window_bits >= 9 && agreed->own_window_bits <= 15, "the window keeps its bounds");
    const auto client = detail::read_deflate_answer(answer, options);
    fuzz_check(client.has_value() && client->peer_context == agreed->own_context,
               "a client takes the answer as it is meant");
  }
  detail::read_deflate_answer(text, {});
}

void check_message(std::string_view bytes) {
  constexpr std::size_t bytes_max = 5000;
  std::string payload(bytes);
  message_deflate reader({.bytes_min = 0}, {});
  if (reader.unpack(payload, bytes_max) == message_deflate::unpacked::done)
    fuzz_check(payload.size() <= bytes_max, "an unpacked message keeps its bound");
  const detail::deflate_agreement keeps{.own_context = true, .peer_context = true, .own_window_bits = 9};
  message_deflate one({.bytes_min = 0}, keeps);
  message_deflate other({.bytes_min = 0}, keeps);
  for (int turn = 0; turn < 2; ++turn) {
    std::string packed = one.pack(bytes).value();
    fuzz_check(other.unpack(packed, bytes.size()) == message_deflate::unpacked::done && packed == bytes,
               "what was packed comes back");
  }
}

void check_body(std::string_view bytes, const char* encoding) {
  constexpr decompression_limits small{.bytes_max = 100'000, .ratio_max = 10};
  const auto decoded = [&](std::size_t step, std::string& out) {
    content_decoder decoder(encoding, small);
    try {
      for (std::size_t at = 0; at < bytes.size(); at += step) {
        std::string_view piece = bytes.substr(at, step);
        while (decoder.write_some(piece, out, 1000)) {
        }
      }
      decoder.finish();
      return weft::errc::unknown;
    } catch (const weft::error& refused) {
      return refused.code();
    }
  };
  std::string whole;
  std::string steps;
  const weft::errc how = decoded(bytes.size() + 1, whole);
  const weft::errc in_steps = decoded(3, steps);
  fuzz_check(whole.size() <= small.bytes_max && steps.size() <= small.bytes_max, "a body keeps its bound");
  // In steps the ratio is looked at with less of the input at hand.
  if (how == in_steps && how != weft::errc::too_large)
    fuzz_check(whole == steps, "the body does not depend on the cuts");
  if (how != in_steps) fuzz_check(in_steps == weft::errc::too_large, "the end does not depend on the cuts");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  check_head(text, (data[0] & 1) != 0, (data[0] & 2) != 0);
  check_offer(text);
  check_message(text);
  check_body(text, (data[0] & 4) != 0 ? "gzip" : "deflate");
  return 0;
}
