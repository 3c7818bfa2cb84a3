#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weft::inline v1::http {

/// A server-sent event as it came.
struct received_event {
  std::string data;
  std::string name = "message";
  std::string id;  ///< the last one that was named, of this event or an earlier one
};

/// Takes a stream of server-sent events apart, as the HTML standard has it, from bytes as they come. What is
/// not understood is passed over; an event at the end that no empty line ended is dropped.
class event_parser {
 public:
  static constexpr std::size_t id_bytes_max = 4096;

  /// `last_id` is that of the connection before.
  explicit event_parser(std::size_t event_bytes_max = 1024 * 1024, std::string last_id = {})
      : bytes_max_(event_bytes_max), named_id_(last_id), last_id_(last_id), told_id_(std::move(last_id)) {}

  /// Throws weft::error (too_large) for an event over the bound, and for an id of more than id_bytes_max; the
  /// parser is of no use then.
  void feed(std::string_view bytes);
  /// The next event that is complete.
  std::optional<received_event> next();

  /// To be sent as Last-Event-ID with the next connection: of the last event that is complete.
  const std::string& last_id() const noexcept { return last_id_; }
  /// How long the server wants its clients to wait before they connect again, if it has said.
  std::optional<std::chrono::milliseconds> retry() const noexcept { return retry_; }

 private:
  void take_line();
  void take_field(std::string_view name, std::string_view value);

  std::size_t bytes_max_;
  std::string line_;
  std::string data_;
  std::string name_;
  std::string named_id_;  // perhaps by an event that is not complete
  std::string last_id_;
  std::optional<std::chrono::milliseconds> retry_;
  struct waiting {
    received_event event;  // its id only where it named one: many events may have the same long one
    bool names_id;
  };
  std::deque<waiting> complete_;
  std::string told_id_;    // of the event that next() gave last
  bool names_id_ = false;  // since the last event that is complete
  bool first_ = true;      // no line was taken yet
  bool skips_lf_ = false;  // the last line ended with CR
};

}  // namespace weft::inline v1::http
