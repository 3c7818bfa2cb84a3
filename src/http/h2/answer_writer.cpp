#include "http/h2/answer_writer.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/http/status_error.hpp>

#include "http/h2/at_home.hpp"
#include "http/response_access.hpp"

namespace weft::inline v1::http::detail::h2 {

void stream_answer::refuse(const refusal& why) {
  make_refusal(why);
  send_whole();
}

void stream_answer::require_open() const {
  if (is_closed_) throw error(errc::closed, "http: the client gave its request up");
}

void stream_answer::send_head(std::optional<std::uint64_t> length, bool has_body) {
  require_open();
  std::string lines(lane_.date_line());
  if (length && may_have_body())
    lines.append("content-length: ").append(std::to_string(*length)).append("\r\n");
  if (is_plain_text(length)) lines += "content-type: text/plain; charset=utf-8\r\n";
  if (!id_.empty()) lines.append("x-request-id: ").append(id_).append("\r\n");
  lines += response_access::fields(answer_);
  carrier_.protocol().answer(id_on_wire_, answer_.status(), std::move(lines), has_body);
  is_ended_ = !has_body;
}

void stream_answer::send_whole() {
  body_.answer_begins();
  const std::string_view body = sends_body() ? std::string_view(answer_.body()) : std::string_view();
  note_sent(body.size());
  send_head(said_length(), !body.empty());
  ends_ = true;
  send_body(body);
}

void stream_answer::begin_stream_form() {
  at_home_in_any_case(carrier_.home(), [&] { body_.answer_begins(); });
}

void stream_answer::send_form(bool with_head, std::string_view piece) {
  at_home(carrier_.home(), [&] { send_on_stream(with_head, piece); });
}

void stream_answer::end_stream_form(bool is_whole) {
  at_home(carrier_.home(), [&] { end_stream(is_whole); });
}

void stream_answer::send_on_stream(bool with_head, std::string_view piece) {
  if (with_head) send_head(left_ && !piece.empty() ? *left_ + piece.size() : left_, sends_body());
  send_body(piece);
}

void stream_answer::end_stream(bool is_whole) {
  if (is_ended_) return;
  if (!is_whole) return carrier_.protocol().reset(id_on_wire_, error_code::internal_error);
  require_open();
  trailers_ = wanted_trailers();
  ends_ = true;
  carrier_.protocol().resume(id_on_wire_);
  send_body({});
}

/// Who has an open window waits for its turn, as long as others have theirs.
steady_time stream_answer::last_progress() const noexcept {
  const bool has_window = carrier_.protocol().has_window(id_on_wire_);
  return has_window ? std::max(taken_.last(), carrier_.moved()) : taken_.last();
}

/// Waits until all of it was taken. Throws weft::error (timed_out) where the client does not read.
void stream_answer::send_body(std::string_view piece) {
  struct pending {
    std::string_view& what;
    ~pending() { what = {}; }
  } const here{pending_};
  pending_ = piece;
  if (!piece.empty()) carrier_.protocol().resume(id_on_wire_);
  carrier_.pump();
  std::optional<steady_time> since;
  while (!pending_.empty() || (ends_ && !is_ended_)) {
    require_open();
    if (!since) since = steady_clock::now();
    moved_.reset();
    const std::chrono::milliseconds bound = lane_.options().write_timeout;
    if (moved_.wait_until(bound.count() == 0 ? no_deadline : *since + bound)) continue;
    const steady_time went_on = last_progress();
    if (went_on > *since) {
      since = went_on;
      continue;
    }
    close();
    carrier_.protocol().reset(id_on_wire_, error_code::cancel);
    carrier_.pump();
    throw error(errc::timed_out, "http: the client does not read its response");
  }
}

session_events::taken stream_answer::take(std::span<char> into) noexcept {
  session_events::taken got;
  got.bytes = pending_.copy(into.data(), into.size());
  pending_.remove_prefix(got.bytes);
  taken_.add(got.bytes);
  got.is_end = ends_ && pending_.empty();
  is_ended_ = is_ended_ || got.is_end;
  if (got.is_end) got.trailers = trailers_;
  if (pending_.empty()) moved_.set();
  return got;
}

void stream_answer::close() noexcept {
  is_closed_ = true;
  moved_.set();
  leave();
}

void stream_answer::leave() noexcept {
  if (switched_ != nullptr) switched_->leave();
}

void stream_answer::set_switched(switched_protocol& to) noexcept {
  at_home_in_any_case(carrier_.home(), [&] {
    switched_ = &to;
    if (is_closed_ || lane_.closes_idle()) to.leave();
  });
}

void stream_answer::clear_switched() noexcept {
  at_home_in_any_case(carrier_.home(), [&] { switched_ = nullptr; });
}

transport stream_answer::switch_protocol(std::string_view) {
  throw status_error(501, "over HTTP/2 there are no other protocols");
}

}  // namespace weft::inline v1::http::detail::h2
