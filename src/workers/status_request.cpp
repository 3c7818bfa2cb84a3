#include "workers/status_request.hpp"

#include <optional>

#include <weft/codec/bytes.hpp>
#include <weft/core/error.hpp>

#include "workers/protocol.hpp"

namespace weft::inline v1::workers::detail {

namespace {

constexpr std::size_t payload_bytes_max =
    status_request_bytes_max - native_magic.size() - wire::frame_header_bytes;
constexpr std::size_t type_at = 4;  // in a frame

}  // namespace

std::string status_request(std::string_view nonce) {
  bytes made = to_bytes(native_magic);
  if (nonce.empty()) {
    write_plain(made, frame_type::status, 0);
  } else {
    write_status_request(made, nonce);
  }
  return std::string(as_text(made));
}

std::string read_status_request(const wire::frame& from) {
  if (static_cast<frame_type>(from.type) != frame_type::status) {
    throw error(errc::malformed, "workers: read a request for the status: it is another frame");
  }
  return from.payload.empty() ? std::string() : read_status_nonce(from);
}

is_status_request recognise_status_request(std::string_view said) {
  if (!native_magic.starts_with(said.substr(0, native_magic.size()))) return is_status_request::no;
  if (said.size() <= native_magic.size() + type_at) return is_status_request::in_part;
  said.remove_prefix(native_magic.size());
  if (static_cast<frame_type>(said[type_at]) != frame_type::status) return is_status_request::no;
  try {
    wire::frame_reader reader(payload_bytes_max);
    reader.append(as_bytes(said));
    return reader.next() ? is_status_request::yes : is_status_request::in_part;
  } catch (const error&) {
    return is_status_request::no;  // whoever serves it will say why
  }
}

}  // namespace weft::inline v1::workers::detail
