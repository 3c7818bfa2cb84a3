// Frames of the native worker protocol, as both ends read them: read, or refused with a weft::error; and what
// was read is written again, and read again as the same. The first byte is the frame's type.
#include <weft/core/error.hpp>
#include <weft/wire/binary.hpp>
#include <weft/workers/server_status.hpp>

#include <cstddef>
#include <cstdint>

#include "fuzz/check.hpp"
#include "workers/protocol.hpp"

namespace {

using namespace weft::workers::detail;

weft::wire::frame frame_of(std::uint8_t type, const weft::bytes& written) {
  weft::wire::frame_reader reader;
  reader.append(written);
  auto one = reader.next();
  fuzz_check(one.has_value() && reader.pending_bytes() == 0, "what is written is one whole frame");
  fuzz_check(one->type == type, "a frame keeps its type");
  return std::move(*one);
}

template <typename Read>
void round_trip(const weft::wire::frame& from, Read read) {
  weft::bytes once;
  write_frame(once, read(from));
  // The views in what is read point into the frame.
  const auto second = frame_of(from.type, once);
  weft::bytes twice;
  write_frame(twice, read(second));
  fuzz_check(once == twice, "what was read is written and read again as the same");
}

// Each as its end does.
void read_as_its_type(const weft::wire::frame& from) {
  switch (static_cast<frame_type>(from.type)) {
    case frame_type::hello:
      // One of another version is not read to its end.
      if (read_hello(from).version == protocol_version) round_trip(from, &read_hello);
      break;
    case frame_type::call:
      round_trip(from, &read_call);
      break;
    case frame_type::told:
      round_trip(from, &read_told);
      break;
    case frame_type::welcome:
      round_trip(from, &read_welcome);
      break;
    case frame_type::refused:
      (void)read_refused(from);
      break;
    case frame_type::answer:
    case frame_type::failed:
    case frame_type::exited:
    case frame_type::declined:
      round_trip(from, &read_reply);
      break;
    case frame_type::ask:
      round_trip(from, &read_ask);
      break;
    case frame_type::status_of_server:
      (void)weft::wire::from_binary<weft::workers::server_figures>(from.payload);
      break;
    default:
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  weft::wire::frame from;
  from.type = data[0];
  from.request_id = 7;
  const auto* const payload = reinterpret_cast<const std::byte*>(data + 1);
  from.payload.assign(payload, payload + size - 1);
  try {
    read_as_its_type(from);
  } catch (const weft::error&) {
  }
  return 0;
}
