// What the session tells its connection. These are called inside the session's receive() and next_out():
// nothing here waits, and no stream is run.
#include <utility>

#include <weft/core/error.hpp>
#include <weft/log/log.hpp>

#include "http/bound_until.hpp"
#include "http/h2/connection.hpp"

namespace weft::inline v1::http::detail::h2 {

stream* connection::find(stream_id id) noexcept {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

void connection::forget(stream_id id) noexcept {
  streams_.erase(id);
  gathered_.forget(id);
  settle_bodies();
  if (!streams_.empty()) return;
  answered_ = steady_clock::now();
  idle_until_ = bound_until(lane_.options().idle_timeout);
  if (is_draining_) wake_reader();
}

void connection::condemn(const char* why, error_code code) noexcept {
  if (condemned_) return;
  condemned_ = code;
  ++lane_.counters().http2_violations;
  log::debug("http: an HTTP/2 connection is ended", {{"why", why}});
  wake_reader();
}

void connection::control_frame() {
  if (!control_frames_.takes(steady_clock::now())) condemn("too many frames that carry no request");
}

void connection::request_reset() {
  if (!resets_.takes(steady_clock::now())) condemn("too many requests that were given up");
}

void connection::head_begins(stream_id id) {
  head_bytes_ = 0;
  // The client is told that it is not served, and may ask again elsewhere.
  if (is_draining_) return session_.reset(id, error_code::refused_stream);
  head_id_ = id;
  head_until_ = bound_until(lane_.options().head_timeout);
  // One that was given up counts until its handler has seen that.
  answer_carrier& carrier = *this;
  if (streams_.size() < 2 * lane_.options().http2.streams_max) {
    streams_.emplace(id, std::make_unique<stream>(lane_, carrier, id));
  } else {
    // Whoever waits for these handlers cannot know of them: it may ask again, but not without end.
    session_.reset(id, error_code::refused_stream);
    control_frame();
  }
}

void connection::field(stream_id id, std::string_view name, std::string_view value) {
  count_field(name, value);
  if (stream* const one = find(id)) one->add_field(name, value);
}

void connection::count_field(std::string_view name, std::string_view value) noexcept {
  constexpr std::size_t head_bytes_factor = 16;
  constexpr std::size_t field_overhead = 32;  // as RFC 9113, 6.5.2 counts
  head_bytes_ += name.size() + value.size() + field_overhead;
  if (head_bytes_ > head_bytes_factor * lane_.options().limits.head_bytes_max)
    condemn("a header without end");
}

void connection::head_ends(stream_id id, bool request_ends) {
  head_until_ = no_deadline;
  stream* const one = find(id);
  if (one == nullptr) return;
  if (one->head_ends(request_ends)) {
    ready_.push_back(id);
  } else if (const auto bytes_max = one->gathers_at_most()) {
    gathered_.begin(id, *bytes_max);
  }
}

void connection::trailer(stream_id id, std::string_view name, std::string_view value) {
  count_field(name, value);
  if (stream* const one = find(id)) one->trailer(name, value);
}

void connection::data(stream_id id, std::string_view piece) {
  // What lies here unread is bounded by the windows of the streams.
  session_.received_of_all(piece.size());
  stream* const one = find(id);
  if (one == nullptr) return;
  if (one->data(piece)) {  // refused: nothing of it is kept
    ready_.push_back(id);
    gathered_.forget(id);
  }
  settle_bodies();
}

void connection::request_ends(stream_id id) {
  head_bytes_ = 0;
  stream* const one = find(id);
  if (one == nullptr || !one->request_ends()) return;
  ready_.push_back(id);
  gathered_.whole(id);
  settle_bodies();
}

void connection::request_refused() { request_reset(); }

void connection::stream_broken() {
  ++lane_.counters().refused_requests;
  request_reset();
}

void connection::stream_closed(stream_id id) {
  if (id == head_id_) head_until_ = no_deadline;
  stream* const one = find(id);
  if (one == nullptr) return;
  one->close();
  if (!one->runs()) forget(id);
}

void connection::went_away(error_code why) {
  // What condemn() says has been counted.
  if (condemned_ || why == error_code::no_error || why == error_code::internal_error) return;
  ++lane_.counters().http2_violations;
  log::debug("http: a client does not keep to HTTP/2", {{"error_code", static_cast<std::uint32_t>(why)}});
}

session_events::taken connection::take_body(stream_id id, std::span<char> into) {
  stream* const one = find(id);
  if (one == nullptr) throw error(errc::closed, "http: the answer is gone");
  const taken got = one->take_answer(into);
  taken_.add(got.bytes);
  return got;
}

/// Nobody wants what is left of a request that is answered.
void connection::answer_sent(stream_id id) {
  stream* const one = find(id);
  if (one != nullptr && !one->has_request_ended()) session_.reset(id, error_code::no_error);
}

void connection::consumed(stream_id id, std::size_t bytes) noexcept {
  session_.consumed(id, gathered_.came(id, bytes));
  send_soon();
}

// ---- bodies that are gathered

void connection::settle_bodies() noexcept {
  while (const auto id = gathered_.one_too_many()) refuse_body(*id);
  while (const auto next = gathered_.let_on()) {
    stream* const one = find(next->id);
    if (one != nullptr && next->has_waited) one->goes_on();
    session_.consumed(next->id, next->bytes);
    send_soon();
  }
}

void connection::refuse_body(stream_id id) noexcept {
  gathered_.forget(id);
  if (stream* const one = find(id)) one->close();
  session_.reset(id, error_code::refused_stream);
  ++lane_.counters().refused_requests;
  // Who waits for these handlers cannot know of them: it may ask again, but not without end.
  control_frame();
  send_soon();
}

}  // namespace weft::inline v1::http::detail::h2
