#pragma once

#include <nghttp2/nghttp2.h>

#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/http/server.hpp>
#include <weft/net/stream.hpp>
#include <weft/net/tls/stream.hpp>

namespace weft::http {

/// A client of HTTP/2 for tests, over nghttp2: many requests at once on one connection, each step in the
/// test's hands. Driven by the calls that wait, which give up after 20 s.
class h2_client {
 public:
  using fields = std::vector<std::pair<std::string, std::string>>;
  struct answer {
    int status = 0;
    std::vector<int> interim;  // 100
    fields headers;
    fields trailers;
    std::string body;
    bool is_head_over = false;
    bool has_ended = false;  // with the end of the stream
    bool is_closed = false;
    std::uint32_t error = 0;  // why it was closed
    std::string header(std::string_view name) const {
      for (const auto& [one, value] : headers) {
        if (one == name) return value;
      }
      return {};
    }
  };
  struct options {
    std::uint32_t window = 65'535;  // of each stream
    bool reads_by_itself = true;    // gives the windows back
  };

  explicit h2_client(const server& to) : h2_client(to, options{}) {}
  h2_client(const server& to, options how)
      : h2_client(std::make_unique<net::stream>(net::stream::connect(to.address())), how) {}
  h2_client(std::unique_ptr<net::byte_stream> over, options how) : stream_(std::move(over)) {
    nghttp2_session_callbacks* calls = nullptr;
    nghttp2_session_callbacks_new(&calls);
    nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_close);
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, how.reads_by_itself ? 0 : 1);
    nghttp2_session_client_new2(&session_, calls, this, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(calls);
    const nghttp2_settings_entry window{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, how.window};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &window, 1);
  }
  h2_client(const h2_client&) = delete;
  h2_client& operator=(const h2_client&) = delete;
  ~h2_client() { nghttp2_session_del(session_); }

  /// Asks; with `more` the body does not end with `body`: more() and end() follow.
  int ask(const std::string& method, const std::string& path, const fields& headers = {},
          std::string body = {}, bool more = false) {
    std::vector<nghttp2_nv> all;
    const fields head{{":method", method}, {":scheme", "http"}, {":authority", "test"}, {":path", path}};
    for (const fields* const from : {&head, &headers}) {
      for (const auto& [name, value] : *from) all.push_back(field(name, value));
    }
    nghttp2_data_provider source{};
    source.read_callback = read_body;
    const bool has_body = more || !body.empty();
    const int id = nghttp2_submit_request(session_, nullptr, all.data(), all.size(),
                                          has_body ? &source : nullptr, nullptr);
    if (has_body) sent_[id] = {std::move(body), more, {}};
    answers_[id];
    return id;
  }
  void more(int id, std::string_view piece) {
    sent_[id].text += piece;
    nghttp2_session_resume_data(session_, id);
  }
  void end(int id, fields trailers = {}) {
    sent_[id].more = false;
    sent_[id].trailers = std::move(trailers);
    nghttp2_session_resume_data(session_, id);
  }
  void reset(int id) { nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL); }
  /// How much of a body is still here.
  std::size_t unsent(int id) { return sent_[id].text.size(); }
  /// Gives back what was read, where it does not do so by itself.
  void read(int id, std::size_t bytes) { nghttp2_session_consume(session_, id, bytes); }

  /// Sends and receives until `so`, or until the server has closed.
  template <typename So>
  void drive_until(So&& so) {
    const steady_time until = steady_clock::now() + std::chrono::seconds(20);
    while (true) {
      send();
      if (so() || has_ended_) return;
      char bytes[16 * 1024];
      const auto count = stream_->read_some_until(bytes, until);
      if (!count) throw error(errc::timed_out, "the server does not answer");
      has_ended_ = *count == 0;
      const auto used = nghttp2_session_mem_recv(session_, reinterpret_cast<std::uint8_t*>(bytes), *count);
      if (used < 0) throw error(errc::malformed, nghttp2_strerror(static_cast<int>(used)));
    }
  }
  void send() {
    const std::uint8_t* bytes = nullptr;
    for (ssize_t count; (count = nghttp2_session_mem_send(session_, &bytes)) > 0;)
      stream_->write_all({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count)});
  }
  answer& wait(int id) {
    answer& one = answers_[id];
    drive_until([&] { return one.is_closed; });
    return one;
  }
  answer& now(int id) { return answers_[id]; }
  answer& get(const std::string& path, const fields& headers = {}) { return wait(ask("GET", path, headers)); }
  /// Everything until the server closes.
  void wait_for_end() {
    drive_until([] { return false; });
  }
  bool has_ended() const noexcept { return has_ended_; }
  /// GOAWAY frames so far: their error, and the last stream.
  const std::vector<std::pair<std::uint32_t, int>>& go_aways() const noexcept { return go_aways_; }
  std::uint32_t setting(nghttp2_settings_id which) const {
    return nghttp2_session_get_remote_settings(session_, which);
  }
  std::size_t settings_received() const noexcept { return settings_; }
  nghttp2_session* session() noexcept { return session_; }

 private:
  struct sent {
    std::string text;
    bool more = false;
    fields trailers;
  };
  static h2_client& of(void* self) noexcept { return *static_cast<h2_client*>(self); }
  static nghttp2_nv field(const std::string& name, const std::string& value) {
    return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
            reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
            NGHTTP2_NV_FLAG_NONE};
  }
  static std::string text(const std::uint8_t* bytes, std::size_t count) {
    return {reinterpret_cast<const char*>(bytes), count};
  }
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_bytes, const std::uint8_t* value, std::size_t value_bytes,
                       std::uint8_t, void* self) {
    answer& one = of(self).answers_[frame->hd.stream_id];
    std::string name_text = text(name, name_bytes);
    std::string value_text = text(value, value_bytes);
    if (name_text == ":status") {
      const int status = std::stoi(value_text);
      if (status < 200) {
        one.interim.push_back(status);
      } else {
        one.status = status;
      }
    } else {
      const bool is_trailer =
          frame->headers.cat == NGHTTP2_HCAT_HEADERS && one.status != 0 && one.is_head_over;
      (is_trailer ? one.trailers : one.headers).emplace_back(std::move(name_text), std::move(value_text));
    }
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    if (frame->hd.type == NGHTTP2_GOAWAY)
      of(self).go_aways_.emplace_back(frame->goaway.error_code, frame->goaway.last_stream_id);
    if (frame->hd.type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) ++of(self).settings_;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    answer& one = of(self).answers_[frame->hd.stream_id];
    if (one.status != 0) one.is_head_over = true;
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) one.has_ended = true;
    return 0;
  }
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                     std::size_t count, void* self) {
    of(self).answers_[id].body += text(bytes, count);
    return 0;
  }
  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t why, void* self) {
    answer& one = of(self).answers_[id];
    one.is_closed = true;
    one.error = why;
    return 0;
  }
  static ssize_t read_body(nghttp2_session* with, std::int32_t id, std::uint8_t* into, std::size_t room,
                           std::uint32_t* flags, nghttp2_data_source*, void* self) {
    sent& one = of(self).sent_[id];
    const std::size_t count = std::min(room, one.text.size());
    std::memcpy(into, one.text.data(), count);
    one.text.erase(0, count);
    if (one.text.empty() && !one.more) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!one.trailers.empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        std::vector<nghttp2_nv> all;
        for (const auto& [name, value] : one.trailers) all.push_back(field(name, value));
        nghttp2_submit_trailer(with, id, all.data(), all.size());
      }
      return static_cast<ssize_t>(count);
    }
    return count == 0 ? ssize_t{NGHTTP2_ERR_DEFERRED} : static_cast<ssize_t>(count);
  }

  std::unique_ptr<net::byte_stream> stream_;
  nghttp2_session* session_ = nullptr;
  std::map<int, answer> answers_;
  std::map<int, sent> sent_;
  std::vector<std::pair<std::uint32_t, int>> go_aways_;
  std::size_t settings_ = 0;
  bool has_ended_ = false;
};

}  // namespace weft::http
