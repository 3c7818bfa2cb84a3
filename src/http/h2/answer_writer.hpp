#pragma once

#include <span>
#include <string>
#include <string_view>

#include <weft/executor/executor.hpp>
#include <weft/fiber/event.hpp>

#include "http/answer_writer.hpp"
#include "http/h2/progress_mark.hpp"
#include "http/h2/session.hpp"
#include "http/h2/stream_body.hpp"
#include "http/transport.hpp"

namespace weft::inline v1::http::detail::h2 {

/// What an answer needs of its connection.
class answer_carrier {
 public:
  virtual session& protocol() noexcept = 0;
  /// Something may be sent: hands over what there is room for.
  virtual void pump() = 0;
  /// The same, by another fiber soon: also for within the events of the session.
  virtual void send_soon() noexcept = 0;
  /// So much of a request's body was read.
  virtual void consumed(stream_id id, std::size_t bytes) noexcept = 0;
  /// When bodies of answers last went on.
  virtual steady_time moved() const noexcept = 0;
  virtual transport& peer() noexcept = 0;
  /// The loop of the connection, which all of this is of.
  virtual const executor& home() const noexcept = 0;

 protected:
  ~answer_carrier() = default;
};

/// Answers on one stream of HTTP/2.
///
/// A body is never copied here: the fiber that answers waits until the connection took all of a piece, which
/// it does as far as the client's windows and the socket allow. finish() has waited for the whole answer.
///
/// Of the connection's loop; what handlers call (the forms of sending) may come from another one, and is done
/// at home then.
class stream_answer final : public answer_writer {
 public:
  stream_answer(server_lane& lane, answer_carrier& by, stream_id id, const request_head& asked,
                stream_body& body) noexcept
      : answer_writer(lane, asked), carrier_(by), id_on_wire_(id), body_(body) {}

  /// Sends what is not sent yet.
  void finish() { finish_answer(); }
  /// Answers a request that is not served.
  void refuse(const refusal& why);
  bool has_lost_peer() const noexcept override { return is_closed_; }

  // For the connection.
  session_events::taken take(std::span<char> into) noexcept;
  /// Nobody takes the answer any more.
  void close() noexcept;
  /// The server stops.
  void leave() noexcept;
  /// Was the end of an answer handed over?
  bool is_ended() const noexcept { return is_ended_; }

 private:
  void send_whole() override;
  void begin_stream_form() override;
  void send_form(bool with_head, std::string_view piece) override;
  void end_stream_form(bool is_whole) override;
  bool may_have_trailers() const noexcept override { return true; }

  transport switch_protocol(std::string_view answer) override;
  std::string_view received() const noexcept override { return {}; }
  void set_switched(switched_protocol& to) noexcept override;
  void clear_switched() noexcept override;
  bool tells_of_leaving() const noexcept override { return true; }
  transport& connection() noexcept override { return carrier_.peer(); }
  void take_back(transport) noexcept override {}

  void send_on_stream(bool with_head, std::string_view piece);
  void end_stream(bool is_whole);
  void send_head(std::optional<std::uint64_t> length, bool has_body);
  void send_body(std::string_view piece);
  void require_open() const;
  steady_time last_progress() const noexcept;

  answer_carrier& carrier_;
  const stream_id id_on_wire_;
  stream_body& body_;
  std::string_view pending_;  // of the body, and not taken
  std::string_view trailers_;
  switched_protocol* switched_ = nullptr;
  bool ends_ = false;  // nothing comes behind pending_
  bool is_ended_ = false;
  bool is_closed_ = false;
  progress_mark taken_;
  event moved_;  // pending_ was taken, or never will be
};

}  // namespace weft::inline v1::http::detail::h2
