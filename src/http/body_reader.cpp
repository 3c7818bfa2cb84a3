#include "http/body_reader.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/http/status_error.hpp>

#include "http/bound_until.hpp"
#include "http/response_access.hpp"

namespace weft::inline v1::http::detail {

namespace {

constexpr std::size_t own_bytes = 64 * 1024;  // more than the longest line between chunks
constexpr std::size_t skipped_bytes_max = 64 * 1024;
constexpr std::size_t kept_bytes_max = 64 * 1024;
constexpr unsigned fills_in_a_row = 32;

}  // namespace

void body_reader::start(const request_head& head, char* received, std::size_t received_bytes, bounds within) {
  raw_ = received;
  received_bytes_ = raw_bytes_ = received_bytes;
  used_of_received_ = 0;
  beyond_ = whole_ = {};
  began_ = gathers_ = is_whole_ = is_own_ = is_chunked_ = false;
  may_answer_ = true;
  time_ = within.time;
  until_.reset();
  asks_continue_ = head.expects_continue && received_bytes == 0;
  switch (head.body) {
    case framing::length:
      part_ = part::counted;
      left_ = head.content_length;
      break;
    case framing::chunked:
      part_ = part::chunked;
      decoder_.restart(within.bytes_max);
      is_chunked_ = true;
      break;
    default:
      end(raw_bytes_);
  }
}

std::string_view body_reader::whole() {
  if (is_whole_) return whole_;
  if (part_ == part::refused || part_ == part::cut_off) throw_again();
  if (began_ && !gathers_)
    throw error(errc::misuse, "http: the body was read in pieces; it cannot be had as a whole any more");
  if (!gathers_) gathered_.clear();
  gathers_ = began_ = true;
  const std::string_view first = take_piece();
  if (is_ended() && gathered_.empty()) {
    whole_ = first;
  } else {
    gathered_.append(first);
    while (!is_ended()) gathered_.append(take_piece());
    whole_ = gathered_;
  }
  is_whole_ = true;
  return whole_;
}

std::string_view body_reader::next_piece() {
  if (gathers_) throw error(errc::misuse, "http: the body is had as a whole; it has no pieces any more");
  began_ = true;
  return take_piece();
}

std::optional<std::string_view> body_reader::trailer(std::string_view name) const noexcept {
  return is_ended() && is_chunked_ ? find_field(decoder_.trailers(), name) : std::nullopt;
}

std::string_view body_reader::take_piece() {
  switch (part_) {
    case part::counted:
      return take_counted();
    case part::chunked:
      return take_chunked();
    case part::ended:
      return {};
    default:
      throw_again();
  }
}

std::string_view body_reader::take_counted() {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left_, own_bytes));
  if (raw_bytes_ == 0) fill(wanted);
  const std::size_t count = std::min(wanted, raw_bytes_);
  const std::string_view piece(raw_, count);
  raw_ += count;
  raw_bytes_ -= count;
  left_ -= count;
  if (left_ == 0) end(raw_bytes_);
  return piece;
}

std::string_view body_reader::take_chunked() {
  while (true) {
    char* const out = raw_;
    const std::size_t given = std::min(raw_bytes_, own_bytes);
    const bool is_all = given == raw_bytes_;
    const chunk_decoder::step step = decoder_.advance({raw_, given}, out);
    if (step.how == progress::refused) refuse(decoder_.why_refused());
    raw_ += step.consumed;
    raw_bytes_ -= step.consumed;
    if (step.how == progress::done) end(raw_bytes_);
    if (step.written > 0 || is_ended()) return {out, step.written};
    if (is_all) fill(own_bytes);
  }
}

void body_reader::fill(std::size_t most) {
  if (asks_continue_ && may_answer_) stream_.cork("HTTP/1.1 100 Continue\r\n\r\n");
  asks_continue_ = false;
  // What comes fast enough is never waited for: the others shall have their turn, too.
  if (++fills_ % fills_in_a_row == 0) yield();
  if (!until_) until_ = bound_until(time_);
  if (!own_) own_.reset(new char[own_bytes]);  // not zeroed
  if (raw_bytes_ > 0) std::memmove(own_.get(), raw_, raw_bytes_);
  raw_ = own_.get();
  is_own_ = true;
  const std::span<char> room(raw_ + raw_bytes_, std::min(most, own_bytes - raw_bytes_));
  const std::optional<std::size_t> count = read(room);
  if (!count) refuse({408, "the request's body did not come in time"});
  if (*count == 0) {
    part_ = part::cut_off;
    throw_again();
  }
  raw_bytes_ += *count;
}

/// A connection that is reset has ended, too.
std::optional<std::size_t> body_reader::read(std::span<char> into) {
  stream_.flush();
  try {
    return stream_.peer().read_some_until(into, *until_);
  } catch (const error&) {
    return 0;
  }
}

void body_reader::end(std::size_t beyond) {
  part_ = part::ended;
  used_of_received_ = is_own_ ? received_bytes_ : received_bytes_ - beyond;
  beyond_ = is_own_ ? std::string_view(raw_, beyond) : std::string_view();
}

void body_reader::refuse(const refusal& why) {
  part_ = part::refused;
  refusal_ = why;
  throw_again();
}

void body_reader::throw_again() const {
  if (part_ == part::cut_off)
    throw error(errc::closed, "http: the client closed the connection in the middle of a request's body");
  throw status_error(refusal_.status, refusal_.why);
}

bool body_reader::is_worth_skipping() const noexcept {
  if (part_ == part::counted) return !asks_continue_ && left_ <= skipped_bytes_max;
  return part_ == part::ended || (part_ == part::chunked && !asks_continue_);
}

bool body_reader::skip() {
  try {
    for (std::size_t skipped = 0; !is_ended() && skipped <= skipped_bytes_max;)
      skipped += take_piece().size();
    return is_ended();
  } catch (const error&) {  // malformed, late or cut off
    return false;
  }
}

void body_reader::release() noexcept {
  own_.reset();
  raw_ = nullptr;
  beyond_ = whole_ = {};
  if (gathered_.capacity() > kept_bytes_max) gathered_ = std::string();
}

}  // namespace weft::inline v1::http::detail
