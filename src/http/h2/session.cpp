#include "http/h2/session.hpp"

#include <nghttp2/nghttp2.h>

#include <array>
#include <charconv>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include <weft/core/error.hpp>

#include "http/chars.hpp"

namespace weft::inline v1::http::detail::h2 {

namespace {

constexpr std::uint32_t small_window_update = 1024;

std::string_view text_of(const std::uint8_t* bytes, std::size_t count) noexcept {
  return {reinterpret_cast<const char*>(bytes), count};
}

nghttp2_nv field_of(std::string_view name, std::string_view value) noexcept {
  // nghttp2 copies both, and changes neither.
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

/// Is it a field that says something of an HTTP/1 connection, and has no place here?
bool is_of_connection(std::string_view name) noexcept {
  return name == "connection" || name == "keep-alive" || name == "proxy-connection" ||
         name == "transfer-encoding" || name == "upgrade";
}

/// Lines as of HTTP/1, whose names become lower case.
void add_fields(std::vector<nghttp2_nv>& to, std::string& lines) {
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t colon = lines.find(':', begin);
    const std::size_t end = lines.find("\r\n", colon);
    if (colon == std::string::npos || end == std::string::npos) return;
    for (std::size_t at = begin; at < colon; ++at) lines[at] = to_lower(lines[at]);
    const std::string_view all = lines;
    const std::string_view name = all.substr(begin, colon - begin);
    if (!is_of_connection(name))
      to.push_back(field_of(name, trim_blanks(all.substr(colon + 1, end - colon - 1))));
    begin = end + 2;
  }
}

std::string_view status_text(int status, std::array<char, 4>& room) noexcept {
  const auto end = std::to_chars(room.data(), room.data() + room.size(), status).ptr;
  return {room.data(), static_cast<std::size_t>(end - room.data())};
}

bool is_control(const nghttp2_frame& frame) noexcept {
  switch (frame.hd.type) {
    case NGHTTP2_PING:
    case NGHTTP2_GOAWAY:
      return true;
    case NGHTTP2_SETTINGS:
      return (frame.hd.flags & NGHTTP2_FLAG_ACK) == 0;
    case NGHTTP2_DATA:
      return frame.hd.length <= frame.data.padlen && (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0;
    case NGHTTP2_WINDOW_UPDATE:
      return static_cast<std::uint32_t>(frame.window_update.window_size_increment) < small_window_update;
    default:
      return false;
  }
}

/// Is it how nghttp2 answers to what a client does wrong on a stream?
bool is_for_broken(const nghttp2_frame& sent) noexcept {
  if (sent.hd.type != NGHTTP2_RST_STREAM) return false;
  const auto why = error_code(sent.rst_stream.error_code);
  return why == error_code::protocol_error || why == error_code::flow_control_error ||
         why == error_code::stream_closed;
}

/// Frames of bodies take turns, where the client does not say otherwise (RFC 9218: it would get one answer
/// behind the other).
void take_turns(nghttp2_session* with, stream_id id) {
  const nghttp2_extpri how{NGHTTP2_EXTPRI_DEFAULT_URGENCY, 1};
  nghttp2_session_change_extpri_stream_priority(with, id, &how, 0);
}

void check(int outcome, const char* what) {
  if (outcome == 0) return;
  if (outcome == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
  throw error(errc::closed, std::string("http: ") + what + ": " + nghttp2_strerror(outcome));
}

}  // namespace

/// What nghttp2 calls. No exception goes through it.
struct session::callbacks {
  static session& of(void* self) noexcept { return *static_cast<session*>(self); }
  static bool is_request(const nghttp2_frame& frame) noexcept {
    return frame.hd.type == NGHTTP2_HEADERS && frame.headers.cat == NGHTTP2_HCAT_REQUEST;
  }

  static int begin_frame(nghttp2_session* with, const nghttp2_frame_hd* head, void* self) noexcept {
    // The others are looked at when they are here; these are not told of then.
    const bool is_of_closed = (head->type == NGHTTP2_DATA || head->type == NGHTTP2_HEADERS) &&
                              head->stream_id <= nghttp2_session_get_last_proc_stream_id(with) &&
                              nghttp2_session_get_stream_local_close(with, head->stream_id) == -1;
    const bool counts = head->type == NGHTTP2_CONTINUATION || head->type == NGHTTP2_PRIORITY ||
                        head->type > NGHTTP2_CONTINUATION || is_of_closed;
    return of(self).guarded([&] {
      if (counts) of(self).events_.control_frame();
    });
  }
  /// Of a type that nobody here knows.
  static int unpack(nghttp2_session*, void**, const nghttp2_frame_hd*, void*) noexcept {
    return NGHTTP2_ERR_CANCEL;
  }
  static int begin_headers(nghttp2_session* with, const nghttp2_frame* frame, void* self) noexcept {
    return of(self).guarded([&] {
      if (!is_request(*frame)) return;
      take_turns(with, frame->hd.stream_id);
      of(self).events_.head_begins(frame->hd.stream_id);
    });
  }
  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_bytes, const std::uint8_t* value, std::size_t value_bytes, std::uint8_t,
                    void* self) noexcept {
    return of(self).guarded([&] {
      session_events& events = of(self).events_;
      const auto id = frame->hd.stream_id;
      if (is_request(*frame)) {
        events.field(id, text_of(name, name_bytes), text_of(value, value_bytes));
      } else if (frame->hd.type == NGHTTP2_HEADERS) {
        events.trailer(id, text_of(name, name_bytes), text_of(value, value_bytes));
      }
    });
  }
  /// Without it nghttp2 would drop the field and go on.
  static int invalid_header(nghttp2_session* with, const nghttp2_frame* frame, const std::uint8_t*,
                            std::size_t, const std::uint8_t*, std::size_t, std::uint8_t, void*) noexcept {
    nghttp2_submit_rst_stream(with, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_PROTOCOL_ERROR);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }
  static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* self) noexcept {
    return of(self).guarded([&] {
      session_events& events = of(self).events_;
      if (is_control(*frame)) events.control_frame();
      if (frame->hd.type == NGHTTP2_RST_STREAM) events.request_reset();
      const bool carries = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
      const bool ends = carries && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
      if (is_request(*frame)) events.head_ends(frame->hd.stream_id, ends);
      if (ends) events.request_ends(frame->hd.stream_id);
    });
  }
  static int refused_frame(nghttp2_session*, const nghttp2_frame*, int why, void* self) noexcept {
    return of(self).guarded([&] {
      if (why == NGHTTP2_ERR_REFUSED_STREAM) of(self).events_.request_refused();
    });
  }
  static int data(nghttp2_session*, std::uint8_t, stream_id id, const std::uint8_t* bytes, std::size_t count,
                  void* self) noexcept {
    return of(self).guarded([&] { of(self).events_.data(id, text_of(bytes, count)); });
  }
  static int closed(nghttp2_session*, stream_id id, std::uint32_t, void* self) noexcept {
    return of(self).guarded([&] { of(self).events_.stream_closed(id); });
  }
  static int frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* self) noexcept {
    return of(self).guarded([&] {
      const bool carries = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
      if (carries && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        of(self).events_.answer_sent(frame->hd.stream_id);
      if (is_for_broken(*frame)) of(self).events_.stream_broken();
      if (frame->hd.type == NGHTTP2_GOAWAY) of(self).events_.went_away(error_code(frame->goaway.error_code));
    });
  }
  /// Such as a head that is larger than nghttp2 sends.
  static int frame_not_sent(nghttp2_session* with, const nghttp2_frame* frame, int, void*) noexcept {
    if (frame->hd.type == NGHTTP2_HEADERS)
      nghttp2_submit_rst_stream(with, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_INTERNAL_ERROR);
    return 0;
  }
  static ssize_t read_body(nghttp2_session* with, stream_id id, std::uint8_t* into, std::size_t room,
                           std::uint32_t* flags, nghttp2_data_source*, void* self) noexcept {
    session_events::taken got;
    int outcome = of(self).guarded([&] {
      got = of(self).events_.take_body(id, {reinterpret_cast<char*>(into), room});
      if (!got.is_end) return;
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (got.trailers.empty()) return;
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      std::string lines(got.trailers);
      std::vector<nghttp2_nv> fields;
      add_fields(fields, lines);
      check(nghttp2_submit_trailer(with, id, fields.data(), fields.size()), "trailers");
    });
    if (outcome != 0) return outcome;
    return got.bytes == 0 && !got.is_end ? ssize_t{NGHTTP2_ERR_DEFERRED} : static_cast<ssize_t>(got.bytes);
  }
};

session::session(session_events& events, const bounds& within) : events_(events) {
  nghttp2_session_callbacks* calls = nullptr;
  nghttp2_option* how = nullptr;
  struct made {
    nghttp2_session_callbacks*& calls;
    nghttp2_option*& how;
    ~made() {
      nghttp2_session_callbacks_del(calls);
      nghttp2_option_del(how);
    }
  } const here{calls, how};
  check(nghttp2_session_callbacks_new(&calls), "HTTP/2");
  check(nghttp2_option_new(&how), "HTTP/2");
  nghttp2_session_callbacks_set_on_begin_frame_callback(calls, callbacks::begin_frame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(calls, callbacks::begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(calls, callbacks::header);
  nghttp2_session_callbacks_set_on_invalid_header_callback(calls, callbacks::invalid_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(calls, callbacks::frame_received);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(calls, callbacks::refused_frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, callbacks::data);
  nghttp2_session_callbacks_set_on_stream_close_callback(calls, callbacks::closed);
  nghttp2_session_callbacks_set_on_frame_send_callback(calls, callbacks::frame_sent);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(calls, callbacks::frame_not_sent);
  nghttp2_session_callbacks_set_unpack_extension_callback(calls, callbacks::unpack);
  // Else they would not be told of, and could not be counted.
  for (unsigned type = NGHTTP2_CONTINUATION + 1; type <= 0xff; ++type)
    nghttp2_option_set_user_recv_extension_type(how, static_cast<std::uint8_t>(type));
  nghttp2_option_set_no_auto_window_update(how, 1);
  nghttp2_option_set_no_closed_streams(how, 1);
  // connection counts these itself, by the options.
#ifdef WEFT_NGHTTP2_HAS_RESET_LIMIT
  nghttp2_option_set_stream_reset_rate_limit(how, std::numeric_limits<std::uint32_t>::max(),
                                             std::numeric_limits<std::uint32_t>::max());
#endif
#ifdef WEFT_NGHTTP2_HAS_CONTINUATION_LIMIT
  nghttp2_option_set_max_continuations(how, within.options.control_frames_max);
#endif
  check(nghttp2_session_server_new2(&session_, calls, this, how), "HTTP/2");

  const http2_options& said = within.options;
  const std::array<nghttp2_settings_entry, 5> settings{{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, static_cast<std::uint32_t>(said.streams_max)},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<std::uint32_t>(said.stream_window_bytes)},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, static_cast<std::uint32_t>(said.frame_bytes_max)},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(within.head_bytes_max)},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  }};
  check(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size()), "HTTP/2");
  check(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                              static_cast<std::int32_t>(said.connection_window_bytes)),
        "HTTP/2");
}

session::~session() { nghttp2_session_del(session_); }

template <typename Call>
int session::guarded(Call&& call) noexcept {
  try {
    call();
    return 0;
  } catch (...) {
    failure_ = std::current_exception();
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
}

void session::rethrow() {
  if (failure_ != nullptr) std::rethrow_exception(std::exchange(failure_, nullptr));
}

std::optional<session::fault> session::receive(std::string_view bytes) {
  const auto* const from = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const ssize_t used = nghttp2_session_mem_recv(session_, from, bytes.size());
  rethrow();
  if (used >= 0) return std::nullopt;
  if (used == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
  const auto code = used == NGHTTP2_ERR_BAD_CLIENT_MAGIC ? error_code::protocol_error
                    : used == NGHTTP2_ERR_FLOODED        ? error_code::enhance_your_calm
                                                         : error_code::internal_error;
  return fault{nghttp2_strerror(static_cast<int>(used)), code};
}

std::string_view session::next_out() {
  const std::uint8_t* bytes = nullptr;
  const ssize_t count = nghttp2_session_mem_send(session_, &bytes);
  rethrow();
  if (count == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
  if (count < 0)
    throw error(errc::malformed, std::string("http: HTTP/2: ") + nghttp2_strerror(static_cast<int>(count)));
  return text_of(bytes, static_cast<std::size_t>(count));
}

std::size_t session::waiting() const noexcept { return nghttp2_session_get_outbound_queue_size(session_); }

bool session::wants_more() const noexcept { return nghttp2_session_want_read(session_) != 0; }

void session::answer(stream_id id, int status, std::string lines, bool has_body) {
  std::array<char, 4> room;
  std::vector<nghttp2_nv> fields{field_of(":status", status_text(status, room))};
  add_fields(fields, lines);
  nghttp2_data_provider body{};
  body.read_callback = callbacks::read_body;
  check(nghttp2_submit_response(session_, id, fields.data(), fields.size(), has_body ? &body : nullptr),
        "the client wants no answer");
}

void session::interim(stream_id id, int status) {
  std::array<char, 4> room;
  const nghttp2_nv field = field_of(":status", status_text(status, room));
  nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, id, nullptr, &field, 1, nullptr);
}

bool session::has_window(stream_id id) const noexcept {
  return nghttp2_session_get_stream_remote_window_size(session_, id) > 0;
}

void session::resume(stream_id id) noexcept { nghttp2_session_resume_data(session_, id); }

void session::reset(stream_id id, error_code why) noexcept {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, static_cast<std::uint32_t>(why));
}

void session::consumed(stream_id id, std::size_t bytes) noexcept {
  nghttp2_session_consume_stream(session_, id, bytes);
}

void session::received_of_all(std::size_t bytes) noexcept {
  nghttp2_session_consume_connection(session_, bytes);
}

void session::announce_end() noexcept { nghttp2_submit_shutdown_notice(session_); }

void session::go_away(error_code why) noexcept {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
                        static_cast<std::uint32_t>(why), nullptr, 0);
}

void session::terminate(error_code why) noexcept {
  nghttp2_session_terminate_session(session_, static_cast<std::uint32_t>(why));
}

}  // namespace weft::inline v1::http::detail::h2
