#include "http/h2/stream_body.hpp"

#include <algorithm>

#include <weft/core/error.hpp>
#include <weft/http/status_error.hpp>

#include "http/bound_until.hpp"
#include "http/chars.hpp"
#include "http/chunk_decoder.hpp"
#include "http/h2/at_home.hpp"
#include "http/response_access.hpp"

namespace weft::inline v1::http::detail::h2 {

namespace {

constexpr std::size_t piece_bytes_max = 64 * 1024;
constexpr std::size_t reserved_bytes_max = 64 * 1024;
constexpr std::size_t trailer_bytes_max = 16 * 1024;

}  // namespace

void stream_body::start(const request_head& head, bounds within, bool is_gathered) {
  part_ = part::coming;
  may_have_one_ = head.body != framing::none;
  bytes_max_ = within.bytes_max;
  said_bytes_max_ = head.body == framing::length ? head.content_length : within.bytes_max;
  time_ = within.time;
  gathers_ = began_ = is_gathered;
  asks_continue_ = head.expects_continue;
  if (!is_gathered) return;
  if (head.body == framing::length)
    came_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(head.content_length, reserved_bytes_max)));
  ask_for_it();
}

std::optional<std::uint64_t> stream_body::gathers_at_most() const noexcept {
  return gathers_ && part_ == part::coming ? std::optional(said_bytes_max_) : std::nullopt;
}

/// The client's time for the body begins with the first wait for it.
void stream_body::ask_for_it() {
  if (!until_) until_ = bound_until(time_);
  if (asks_continue_) flow_.send_continue();
  asks_continue_ = false;
}

// ---- what comes

void stream_body::arrived(std::string_view piece) {
  if (part_ != part::coming || piece.empty()) return;
  asks_continue_ = false;
  if (!may_have_one_) return refuse({400, "a body that the method does not have"});
  bytes_ += piece.size();
  if (bytes_ > bytes_max_) return refuse({413, "the body is too large"});
  came_.append(piece);
  if (gathers_) flow_.was_read(piece.size());
  changed_.set();
}

void stream_body::add_trailer(std::string_view name, std::string_view value) {
  if (part_ != part::coming) return;
  if (!token_bytes.spells(name) || !is_field_value(value)) return refuse({400, "a bad trailer"});
  if (!may_be_trailer(name)) return refuse({400, "a trailer that only a header may have"});
  trailer_bytes_ += name.size() + value.size();
  if (++trailer_count_ > limits_.header_count_max ||
      trailer_bytes_ > std::min(trailer_bytes_max, limits_.head_bytes_max))
    return refuse({431, "too many trailers"});
  trailers_.append(name).append(": ").append(value).append("\r\n");
}

void stream_body::ended() noexcept {
  if (part_ == part::coming) part_ = part::ended;
  changed_.set();
}

void stream_body::cut() noexcept {
  if (part_ == part::coming) end_early(part::cut_off);
  changed_.set();
}

void stream_body::refuse(const refusal& why) noexcept {
  if (part_ != part::coming) return;
  refusal_ = why;
  end_early(part::refused);
  changed_.set();
}

/// Nobody gets what came and was not read.
void stream_body::end_early(part how) noexcept {
  part_ = how;
  came_ = std::string();
}

// ---- for handlers

void stream_body::wait() {
  ask_for_it();
  changed_.reset();
  if (!changed_.wait_until(*until_)) refuse({408, "the request's body did not come in time"});
}

std::string_view stream_body::whole() {
  return at_home(flow_.home(), [this] { return read_whole(); });
}

std::string_view stream_body::next_piece() {
  return at_home(flow_.home(), [this] { return read_piece(); });
}

std::string_view stream_body::read_whole() {
  if (began_ && !gathers_)
    throw error(errc::misuse, "http: the body was read in pieces; it cannot be had as a whole any more");
  if (!gathers_ && !came_.empty()) flow_.was_read(came_.size());
  gathers_ = began_ = true;
  while (part_ == part::coming) wait();
  if (part_ != part::ended) throw_again();
  return came_;
}

std::string_view stream_body::read_piece() {
  if (gathers_) throw error(errc::misuse, "http: the body is had as a whole; it has no pieces any more");
  began_ = true;
  piece_.clear();
  while (came_.empty() && part_ == part::coming) wait();
  if (part_ == part::refused || part_ == part::cut_off) throw_again();
  // What comes meanwhile does not touch what was given.
  if (came_.size() <= piece_bytes_max) {
    piece_.swap(came_);
  } else {
    piece_.assign(came_, 0, piece_bytes_max);
    came_.erase(0, piece_bytes_max);
  }
  if (!piece_.empty()) flow_.was_read(piece_.size());
  return piece_;
}

std::optional<std::string_view> stream_body::trailer(std::string_view name) const noexcept {
  return at_home_in_any_case(flow_.home(), [&] {
    const bool is_read = gathers_ || came_.empty();
    return is_ended() && is_read ? find_field(trailers_, name) : std::nullopt;
  });
}

void stream_body::throw_again() const {
  if (part_ == part::cut_off)
    throw error(errc::closed, "http: the client gave the request up in the middle of its body");
  throw status_error(refusal_.status, refusal_.why);
}

}  // namespace weft::inline v1::http::detail::h2
