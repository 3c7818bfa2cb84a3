#pragma once

#include <optional>

#include "http/exchange.hpp"
#include "http/h2/answer_writer.hpp"
#include "http/h2/request_reader.hpp"
#include "http/h2/stream_body.hpp"
#include "http/server_lane.hpp"

namespace weft::inline v1::http::detail::h2 {

/// One request and its answer. Its connection tells it what comes; once there is something to do, it runs on
/// a fiber of its own.
class stream final : body_flow {
 public:
  stream(server_lane& lane, answer_carrier& by, stream_id id)
      : lane_(lane),
        carrier_(by),
        id_(id),
        reader_(lane.options().limits),
        body_(*this, lane.options().limits),
        answer_(lane, by, id, reader_.head(), body_),
        exchange_(lane, reader_.head(), body_, answer_) {}
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  // What comes. Where these give true there is something to do: run() is to be called.
  void add_field(std::string_view name, std::string_view value) { reader_.add(name, value); }
  bool head_ends(bool request_ends);
  bool data(std::string_view piece);
  void trailer(std::string_view name, std::string_view value) { body_.add_trailer(name, value); }
  bool request_ends();
  /// When the body has to be here, where nobody runs yet.
  steady_time until() const noexcept {
    return stage_ == stage::waiting && !is_closed_ ? body_.until() : no_deadline;
  }
  /// How large its body may become that is gathered before it is served; empty where none is.
  std::optional<std::uint64_t> gathers_at_most() const noexcept { return body_.gathers_at_most(); }
  /// The client may send more of that, and could not.
  void goes_on() noexcept { body_.begin_time_again(); }
  /// That time has come: run() is to be called.
  void be_late() noexcept;

  /// The stream is over, or its connection.
  void close() noexcept;
  /// The server stops: what lasts as long as the client likes ends.
  void leave() noexcept { answer_.leave(); }
  bool is_closed() const noexcept { return is_closed_; }
  bool has_request_ended() const noexcept { return request_ended_; }
  bool runs() const noexcept { return stage_ == stage::running; }

  /// Serves the request, or answers why it is not served.
  void run();
  /// run() is over. True: nothing more is to be done.
  bool stop_running() noexcept;
  session_events::taken take_answer(std::span<char> into) noexcept { return answer_.take(into); }

 private:
  /// Only from the first one does it begin: what comes behind an answer starts nothing.
  enum class stage : unsigned char { waiting, running, over };

  void was_read(std::size_t bytes) noexcept override;
  void send_continue() override;
  const executor& home() const noexcept override { return carrier_.home(); }
  bool start(const refusal& why) noexcept;
  bool start() noexcept;
  void serve();

  server_lane& lane_;
  answer_carrier& carrier_;
  const stream_id id_;
  request_reader reader_;
  stream_body body_;
  stream_answer answer_;
  exchange exchange_;
  std::optional<refusal> refusal_;
  bool head_ended_ = false;
  bool request_ended_ = false;
  stage stage_ = stage::waiting;
  bool is_closed_ = false;
};

}  // namespace weft::inline v1::http::detail::h2
