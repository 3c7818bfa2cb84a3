#include "workers/status_report.hpp"

#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/net/endpoint.hpp>
#include <weft/net/stream.hpp>
#include <weft/process/self.hpp>
#include <weft/wire/binary.hpp>
#include <weft/wire/frame.hpp>

#include "workers/authentication.hpp"
#include "workers/byte_stream.hpp"
#include "workers/frame_stream.hpp"
#include "workers/protocol.hpp"
#include "workers/status_request.hpp"

namespace weft::inline v1::workers {

namespace detail {

namespace {

// What a client has to say.
constexpr std::size_t asked_bytes_max = 8192;

}  // namespace

bytes write_status(server_figures figures) {
  figures.resident_bytes = process::resident_bytes(static_cast<pid_t>(figures.pid));
  for (auto& one : figures.workers) one.resident_bytes = process::resident_bytes(static_cast<pid_t>(one.pid));
  bytes out;
  wire::append_frame(out, static_cast<std::uint8_t>(frame_type::status_of_server), 0, 0,
                     wire::to_binary(figures));
  return out;
}

void answer_status(unique_fd connection, const wire::key_ring* keys, server_figures figures) {
  byte_stream client(std::move(connection));
  client.attach();
  client.refuse_descriptors();
  frame_stream stream(client, asked_bytes_max);
  std::string magic;
  wire::frame request;
  if (stream.read_raw(magic, native_magic.size(), no_deadline) != stream_end::ok) return;
  if (stream.read(request, no_deadline) != stream_end::ok) return;
  bytes out;
  const auto why_not = keys == nullptr
                           ? std::string()
                           : check_client(stream, *keys, read_status_request(request), access_to_status);
  if (why_not.empty()) {
    out = write_status(std::move(figures));
  } else {
    write_refused(out, why_not);
  }
  (void)stream.write(out, no_deadline);
}

}  // namespace detail

namespace {

// A client's end of one request.
class asking {
 public:
  asking(std::string_view address, steady_time until)
      : tried_("workers: ask the server at \"" + std::string(address) + "\" what it is doing"),
        until_(until),
        connection_(net::stream::connect(net::endpoint::parse(address), until)) {}

  void say(std::string_view what) {
    if (!connection_.write_all_until(std::span(&what, 1), until_))
      throw error(errc::unavailable, tried_ + ": it does not listen to what is said");
  }

  wire::frame hear() {
    while (true) {
      if (auto whole = reader_.next()) return std::move(*whole);
      char piece[4096];
      const auto got = connection_.read_some_until(piece, until_);
      if (!got) throw error(errc::unavailable, tried_ + ": it does not answer");
      if (*got == 0) {
        throw error(errc::unavailable,
                    tried_ + ": it ended the connection; is it a server of weft, and may this user connect?");
      }
      reader_.append(as_bytes(std::string_view(piece, *got)));
    }
  }

  [[noreturn]] void fail(errc code, const std::string& why) const { throw error(code, tried_ + ": " + why); }

 private:
  std::string tried_;
  steady_time until_;
  net::stream connection_;
  wire::frame_reader reader_;
};

}  // namespace

server_figures server_status(std::string_view address, std::chrono::nanoseconds bound,
                             const std::shared_ptr<const wire::key_ring>& keys) {
  using detail::frame_type;
  asking server(address, deadline_after(bound));
  const std::string nonce = keys != nullptr ? detail::make_nonce() : std::string();
  server.say(detail::status_request(nonce));
  auto answer = server.hear();
  const bool challenged = static_cast<frame_type>(answer.type) == frame_type::challenge;
  if (challenged && keys != nullptr) {
    server.say(as_text(detail::prove(*keys, answer, nonce, detail::access_to_status)));
    answer = server.hear();
  }
  if (static_cast<frame_type>(answer.type) == frame_type::refused)
    server.fail(errc::refused, detail::read_refused(answer));
  if (static_cast<frame_type>(answer.type) != frame_type::status_of_server)
    server.fail(errc::malformed, "it answered something else");
  if (keys != nullptr && !challenged)
    server.fail(errc::refused, "it has not proved that it has a key; give it server_options::keys");
  return wire::from_binary<server_figures>(answer.payload);
}

}  // namespace weft::inline v1::workers
