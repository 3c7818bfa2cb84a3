#include "http/websocket/websocket_impl.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/log/log.hpp>
#include <weft/wire/random.hpp>
#include <weft/wire/utf8.hpp>

#include "http/bound_until.hpp"

namespace weft::http {

using detail::bound_until;
using detail::opcode;

namespace {

// What the peer's close says (RFC 6455, 7.1.5).
constexpr int no_code = 1005;
constexpr int no_close = 1006;

}  // namespace

websocket::impl::impl(detail::protocol_host& host, std::string_view answer, const websocket_options& options,
                      std::string protocol)
    : options_(options),
      protocol_(std::move(protocol)),
      host_(&host),
      stream_(host.switch_protocol(answer, *this)) {
  keep(host.received());
}

websocket::impl::impl(net::stream connected, std::string_view received, const websocket_options& options,
                      std::string protocol)
    : options_(options),
      protocol_(std::move(protocol)),
      connection_(std::make_unique<net::stream>(std::move(connected))),
      stream_(*connection_) {
  keep(received);
}

websocket::impl::~impl() {
  drop(1001);
  if (host_ != nullptr) host_->forget_switched();
}

void websocket::impl::keep(std::string_view received) {
  while (!received.empty()) {
    const auto room = buffer_.room([](const char*, const char*) {});
    const std::size_t count = received.copy(room.data(), room.size());
    buffer_.commit(count);
    received.remove_prefix(count);
  }
}

// ---- reading

std::optional<websocket_message> websocket::impl::read() {
  if (reading_) throw error(errc::busy, "websocket: read: another task reads already");
  struct mark {
    bool& set;
    ~mark() { set = false; }
  } const reading{reading_ = true};
  return read_on();
}

// Each step leaves a whole state behind, so that a cancelled one is gone on from.
std::optional<websocket_message> websocket::impl::read_on() {
  while (!ended_) {
    if (!in_frame_ && !begin_frame()) {
      fill();
      continue;
    }
    take_payload();
    if (taken_ < frame_.payload_bytes) {
      fill();
      continue;
    }
    in_frame_ = false;
    if (auto whole = end_frame()) return whole;
  }
  return std::nullopt;
}

bool websocket::impl::begin_frame() {
  const detail::read_head got = detail::parse_frame_head(buffer_.readable(), host_ != nullptr);
  if (got.how == detail::read_head::outcome::more) return false;
  if (got.how == detail::read_head::outcome::refused) fail(1002, got.why);
  frame_ = got.head;
  if (!is_control(frame_.what)) {
    if (frame_.what == opcode::continuation && !in_message_) fail(1002, "a continuation of nothing");
    if (frame_.what != opcode::continuation && in_message_) fail(1002, "a message within another one");
    if (frame_.payload_bytes > options_.message_bytes_max - message_.data.size())
      fail(1009, "a message over the bound");
    if (!in_message_) {
      message_.kind = frame_.what == opcode::text ? websocket_kind::text : websocket_kind::binary;
      in_message_ = true;
    }
  }
  buffer_.consume(got.bytes);
  taken_ = 0;
  in_frame_ = true;
  control_.clear();
  return true;
}

void websocket::impl::take_payload() {
  const auto count =
      static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), frame_.payload_bytes - taken_));
  if (frame_.mask) detail::apply_mask(buffer_.data(), count, *frame_.mask, taken_);
  (is_control(frame_.what) ? control_ : message_.data).append(buffer_.data(), count);
  buffer_.consume(count);
  taken_ += count;
}

std::optional<websocket_message> websocket::impl::end_frame() {
  if (is_control(frame_.what)) {
    answer_control();
    return std::nullopt;
  }
  if (!frame_.is_final) return std::nullopt;
  in_message_ = false;
  websocket_message whole = std::exchange(message_, {});
  buffer_.trim();
  if (said_close_) return std::nullopt;  // nobody waits for it any more
  if (whole.kind == websocket_kind::text && !wire::is_utf8(whole.data)) fail(1007, "text that is not UTF-8");
  return whole;
}

void websocket::impl::answer_control() {
  if (frame_.what == opcode::close) {
    take_close();
  } else if (frame_.what == opcode::ping && is_open()) {
    send(opcode::pong, control_);
  }
}

void websocket::impl::take_close() {
  int code = no_code;
  if (control_.size() == 1) fail(1002, "half a close code");
  if (control_.size() >= 2) {
    code = static_cast<unsigned char>(control_[0]) << 8 | static_cast<unsigned char>(control_[1]);
    if (!detail::is_close_code(code)) fail(1002, "a close code that is none");
    if (!wire::is_utf8(std::string_view(control_).substr(2))) fail(1007, "a reason that is not UTF-8");
    close_reason_ = control_.substr(2);
  }
  close_code_ = code;
  if (is_open()) send_close(code == no_code ? 1000 : code, {}, bound_until(options_.write_timeout));
  end(code);
}

void websocket::impl::fill() {
  const steady_time until = said_close_ ? close_by_ : bound_until(options_.ping_after);
  const auto room = buffer_.room([](const char*, const char*) {});
  const std::optional<std::size_t> count = stream_.read_some_until(room, until);
  if (ended_) return;  // by another task
  if (count && *count > 0) {
    buffer_.commit(*count);
    asked_ = false;
  } else if (count) {
    take_end_of_stream();
  } else if (said_close_) {
    end(no_close);
  } else if (asked_) {
    cut_ = true;
    end(no_close);
    throw error(errc::timed_out, "websocket: the peer gives no sign of life");
  } else {
    send(opcode::ping, {});
    asked_ = true;
  }
}

void websocket::impl::take_end_of_stream() {
  if (leaving_) return drop(1001);
  const bool expected = said_close_;
  cut_ = true;
  end(no_close);
  if (!expected) throw error(errc::unavailable, "websocket: the peer closed the connection without a word");
}

void websocket::impl::fail(int code, const char* why) {
  close_code_ = no_close;
  drop(code);
  throw error(code == 1009 ? errc::too_large : errc::malformed,
              std::string("websocket: the peer sent ") + why);
}

void websocket::impl::end(int code) noexcept {
  if (ended_) return;
  if (close_code_ == 0) close_code_ = code;
  ended_ = true;
  end_.set();
}

// ---- writing

void websocket::impl::send(opcode what, std::string_view payload) {
  if (what == opcode::text) wire::require_utf8(payload);
  const std::lock_guard lock(writing_);
  if (!is_open()) throw error(errc::closed, "websocket: send: the connection is closed");
  write_frame(what, payload, bound_until(options_.write_timeout));
}

/// The caller has the lock.
void websocket::impl::write_frame(opcode what, std::string_view payload, steady_time until) {
  detail::frame_head head{.what = what, .is_final = true, .payload_bytes = payload.size(), .mask = {}};
  std::string bytes;
  if (host_ == nullptr) {
    head.mask = next_mask();
    bytes.reserve(detail::frame_head_bytes_max + payload.size());
    append_frame_head(bytes, head);
    const std::size_t begin = bytes.size();
    bytes.append(payload);
    detail::apply_mask(bytes.data() + begin, payload.size(), *head.mask, 0);
    payload = {};
  } else {
    append_frame_head(bytes, head);
  }
  const std::array<std::string_view, 2> pieces{bytes, payload};
  cut_ = true;
  if (!stream_.write_all_until(pieces, until))
    throw error(errc::timed_out, "websocket: the peer does not read");
  cut_ = false;
}

detail::frame_mask websocket::impl::next_mask() {
  detail::frame_mask mask;
  if (masks_left_ == 0) {
    wire::fill_random(masks_);
    masks_left_ = masks_.size();
  }
  masks_left_ -= mask.size();
  std::memcpy(mask.data(), masks_.data() + masks_left_, mask.size());
  return mask;
}

void websocket::impl::send_close(int code, std::string_view reason, steady_time until) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  payload += reason;
  const std::lock_guard lock(writing_);
  if (!is_open()) return;
  said_close_ = true;
  write_frame(opcode::close, payload, until);
}

void websocket::impl::close(int code, std::string_view reason) {
  if (!detail::is_close_code(code))
    throw error(errc::invalid_argument,
                "websocket: close: " + std::to_string(code) + " is no code to close with");
  wire::require_utf8(reason);
  if (reason.size() > detail::control_bytes_max - 2)
    throw error(errc::invalid_argument, "websocket: close: the reason has more than 123 bytes");
  if (!is_open()) return;
  try {
    close_by_ = bound_until(options_.close_timeout);
    send_close(code, reason, close_by_);
    await_close();
  } catch (const error&) {  // the peer is gone: closed, too
    cut_ = true;
  }
  end(no_close);
}

void websocket::impl::await_close() {
  if (!reading_) {
    read_on();
  } else if (!end_.wait_until(close_by_)) {
    end(no_close);
    stream_.shutdown_read();  // wakes who reads
  }
}

void websocket::impl::drop(int code) noexcept {
  try {
    // What fits into the socket's buffer is sent; nobody waits.
    if (is_open()) shield([&] { send_close(code, {}, steady_clock::now()); });
  } catch (const error&) {  // the peer is gone, or does not read
  }
  end(no_close);
}

void websocket::impl::leave() noexcept {
  leaving_ = true;
  stream_.shutdown_read();
}

bool detail::end_failed_websocket(websocket& socket, const std::exception& failed) noexcept {
  const bool was_open = socket.is_open();
  socket.drop(1011);
  const auto* const known = dynamic_cast<const error*>(&failed);
  if (was_open || known == nullptr) return false;
  switch (known->code()) {
    case errc::closed:
    case errc::unavailable:
    case errc::timed_out:
    case errc::malformed:
    case errc::too_large:
      log::debug("http: a WebSocket ended", {{"why", known->what()}});
      return true;
    default:
      return false;
  }
}

// ---- the public face

websocket::websocket(std::unique_ptr<impl> made) noexcept : impl_(std::move(made)) {}
websocket::websocket(websocket&&) noexcept = default;
websocket& websocket::operator=(websocket&&) noexcept = default;
websocket::~websocket() = default;

std::optional<websocket_message> websocket::read() { return impl_->read(); }
void websocket::send(std::string_view text) { impl_->send(opcode::text, text); }
void websocket::send_binary(std::string_view bytes) { impl_->send(opcode::binary, bytes); }
void websocket::close(int code, std::string_view reason) { impl_->close(code, reason); }
void websocket::drop(int code) noexcept { impl_->drop(code); }
bool websocket::is_open() const noexcept { return impl_->is_open(); }
int websocket::close_code() const noexcept { return impl_->close_code(); }
const std::string& websocket::close_reason() const noexcept { return impl_->close_reason(); }
const std::string& websocket::protocol() const noexcept { return impl_->protocol(); }

}  // namespace weft::http
