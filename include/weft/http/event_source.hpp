#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include <weft/http/client.hpp>
#include <weft/http/event_parser.hpp>

namespace weft::inline v1::http {

/// How an event_source connects. A time of zero means no bound.
struct event_source_options {
  request_options request = {};            ///< goes with each connection; its timeout is that of event_source
  std::string last_id = {};                ///< of the last event seen, by another source before
  std::chrono::milliseconds retry{3'000};  ///< the wait before it connects again, until the server names one
  std::chrono::milliseconds retry_max{
      60'000};  ///< the longest wait, after failures and whatever the server names
  std::chrono::milliseconds answer_within{30'000};  ///< from the request to the head of the answer
  /// A server that sends nothing, not even a comment, for so long is lost: it connects again.
  std::chrono::milliseconds silence_max{60'000};
  std::size_t event_bytes_max = 1024 * 1024;
};

/// Server-sent events of a server, over as many connections as it takes: what browsers have as EventSource.
///
///     weft::http::event_source news(client, "/news");
///     while (auto one = news.next()) print(one->data);
///
/// Where the connection ends, breaks or cannot be made, it waits, connects again and says which event was the
/// last (Last-Event-ID); waits double from failure to failure. The server ends it by 204. Any other status
/// than 200, and any other content than text/event-stream, is an error and its end.
///
/// Thread-safety: one task's at a time. Lifetime: within that of the client, of which it uses one connection.
/// Cancellation: next() is a cancellation point; one that was cancelled may lose the connection, and the next
/// one connects again.
class event_source {
 public:
  /// `target` is as in client::get. Connects with the first next().
  event_source(client& from, std::string target, event_source_options options = {});

  /// Waits for the next event. Nothing where the server has ended it. Throws weft::error: refused for another
  /// answer, too_large for an event over the bound, what client::open throws where it is not the connection's
  /// fault; it is over then. The task's deadline, if any, is what bounds the wait for a server that is away.
  std::optional<received_event> next();

  /// That of the last event that next() gave; for a source that goes on later.
  const std::string& last_id() const noexcept { return last_id_; }
  /// The wait before the next connection, if that follows no failure.
  std::chrono::milliseconds retry() const noexcept;
  bool is_open() const noexcept { return stream_.has_value(); }

 private:
  void connect();
  void pause();
  streamed_response open();
  bool take_answer(streamed_response answer);
  void read();
  void lose(const char* why);

  client& client_;
  const std::string target_;
  const event_source_options options_;
  event_parser parser_;
  std::optional<streamed_response> stream_;
  std::optional<std::chrono::milliseconds> retry_;  // that the server named
  std::string last_id_;
  unsigned failures_ = 0;  // since it was connected
  bool began_ = false;
  bool over_ = false;
};

}  // namespace weft::inline v1::http
