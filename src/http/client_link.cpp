#include "http/client_link.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include <weft/core/error.hpp>

#include "http/request_head.hpp"

namespace weft::inline v1::http::detail {

namespace {

constexpr std::size_t body_buffer_bytes = 64 * 1024;

[[noreturn]] void throw_late() { throw error(errc::timed_out, "there was no complete response in time"); }
[[noreturn]] void throw_cut_short() {
  throw error(errc::unavailable, "the server closed the connection before the response was complete");
}
[[noreturn]] void throw_too_large() {
  throw error(errc::too_large, "the response is not acceptable: the body is too large");
}
[[noreturn]] void throw_refused(const refusal& why) {
  const errc code = why.status == 413 || why.status == 431 ? errc::too_large : errc::malformed;
  throw error(code, std::string("the response is not acceptable: ") + why.why);
}

/// Whoever reads a body bounds it.
limits without_body_bound(limits bounds) noexcept {
  bounds.body_bytes_max = std::numeric_limits<std::size_t>::max();
  return bounds;
}

}  // namespace

client_link::client_link(const limits& bounds)
    : parser_(without_body_bound(bounds)), decoder_(without_body_bound(bounds)) {}

void client_link::connect(transport connected) noexcept {
  stream_ = std::move(connected);
  buffer_ = {};
}

client_link::failed client_link::begin(outgoing_request& request, steady_time until) {
  ended_ = begun_ = reached_ = false;
  read_ = 0;
  sent_ = send(request, until);
  if (!read_head(request.method, until)) return reached_ ? failed::unanswered : failed::unsent;
  return failed::no;
}

// ---- sending

/// False: the peer closed meanwhile. It may have answered all the same, to refuse a large body.
bool client_link::send(outgoing_request& request, steady_time until) {
  try {
    if (request.pieces != nullptr) {
      send_pieces(request, until);
    } else {
      const std::array<std::string_view, 2> both{request.head, request.body};
      write(both, until);
    }
    return reached_ = true;
  } catch (const error& broken) {
    const auto* const partly = dynamic_cast<const net::transfer_error*>(&broken);
    reached_ = partly != nullptr && partly->bytes() >= request.head.size();
    if (broken.code() != errc::unavailable || request.pieces_were_asked) throw;
    return false;
  }
}

void client_link::send_pieces(outgoing_request& request, steady_time until) {
  const std::string_view head = request.head;
  write({&head, 1}, until);
  while (true) {
    request.pieces_were_asked = true;
    request.pieces_failed = true;
    const std::string_view piece = (*request.pieces)();
    if (piece.empty()) break;
    request.pieces_failed = false;
    std::array<char, 20> size;
    char* end = std::to_chars(size.data(), size.data() + 16, piece.size(), 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    const std::array<std::string_view, 3> chunk{std::string_view(size.data(), end), piece, "\r\n"};
    write(chunk, until);
  }
  const std::string trailers = make_trailers(*request.options);
  request.pieces_failed = false;
  const std::array<std::string_view, 3> last{"0\r\n", trailers, "\r\n"};
  write(last, until);
}

void client_link::write(std::span<const std::string_view> pieces, steady_time until) {
  if (!stream_.write_all_until(pieces, until)) throw_late();
}

// ---- receiving

bool client_link::fill(steady_time until) {
  const auto room = buffer_.room();
  const std::optional<std::size_t> count = stream_.read_some_until(room, until);
  if (!count) throw_late();
  buffer_.commit(*count);
  return *count > 0;
}

bool client_link::read_head(std::string_view method, steady_time until) {
  while (true) {
    // The buffer moves only between attempts: each begins at the first byte, views stay right.
    parser_.restart(method);
    const progress parsed = parser_.advance(buffer_.readable());
    if (parsed == progress::refused) throw_refused(parser_.why_refused());
    if (parsed == progress::done) {
      const int status = parser_.head().status;
      if (status == 101) throw error(errc::malformed, "the server switched protocols without being asked");
      if (status >= 200) return true;
      buffer_.consume(parser_.head_bytes());  // 100 Continue and its like
      continue;
    }
    const bool nothing_yet = buffer_.empty();
    try {
      if (fill(until)) continue;
    } catch (const error& broken) {
      if (broken.code() != errc::unavailable || !nothing_yet) throw;
    }
    if (nothing_yet) return false;
    throw_cut_short();
  }
}

std::string_view client_link::read_piece(std::size_t bytes_max, steady_time until) {
  if (!begun_) {
    begun_ = true;
    buffer_.consume(parser_.head_bytes());
    left_ = head().content_length;
    decoder_.restart(bytes_max);
    if (head().body == framing::length && left_ > bytes_max) throw_too_large();
  }
  std::string_view piece;
  if (!ended_) {
    switch (head().body) {
      case framing::none:
        break;
      case framing::length:
        piece = take_counted(until);
        break;
      case framing::chunked:
        piece = take_chunked(until);
        break;
      case framing::until_close:
        piece = take_rest(until);
        break;
    }
  }
  read_ += piece.size();
  if (read_ > bytes_max) throw_too_large();
  if (piece.empty()) end_body();
  return piece;
}

/// More of a body than came with its head is read in large pieces.
void client_link::fill_body(steady_time until) {
  buffer_.reserve(body_buffer_bytes);
  if (!fill(until)) throw_cut_short();
}

std::string_view client_link::take_counted(steady_time until) {
  if (left_ == 0) return {};
  if (buffer_.empty()) fill_body(until);
  const std::string_view piece =
      buffer_.readable().substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, SIZE_MAX)));
  buffer_.consume(piece.size());
  left_ -= piece.size();
  return piece;
}

std::string_view client_link::take_chunked(steady_time until) {
  while (true) {
    char* const out = buffer_.data();
    const chunk_decoder::step step = decoder_.advance(buffer_.readable(), out);
    buffer_.consume(step.consumed);
    if (step.how == progress::refused) throw_refused(decoder_.why_refused());
    if (step.how == progress::done) ended_ = true;
    if (step.written > 0 || ended_) return {out, step.written};
    fill_body(until);
  }
}

std::string_view client_link::take_rest(steady_time until) {
  buffer_.reserve(body_buffer_bytes);
  if (buffer_.empty() && !fill(until)) return {};
  const std::string_view piece = buffer_.readable();
  buffer_.consume(piece.size());
  return piece;
}

void client_link::end_body() noexcept {
  ended_ = true;
  if (buffer_.empty()) buffer_ = {};
}

}  // namespace weft::inline v1::http::detail
