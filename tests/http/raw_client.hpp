#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/http/server.hpp>
#include <weft/net/stream.hpp>

namespace weft::http {

/// Sends bytes as they are given and reads what comes back: for tests of what is on the wire.
class raw_client {
 public:
  explicit raw_client(const server& to) : stream_(net::stream::connect(to.address())) {}
  explicit raw_client(net::stream connected) : stream_(std::move(connected)) {}

  void send(std::string_view bytes) { stream_.write_all(bytes); }
  /// Everything until the server closes. Bounded, so that a server that does not close fails the test.
  std::string read_to_end() {
    std::string all = std::move(unread_);
    while (read_more(all)) {
    }
    return all;
  }
  /// The bytes up to and with `mark`; what follows is kept for the next call.
  std::string read_until(std::string_view mark) {
    std::string all = std::move(unread_);
    std::size_t found;
    while ((found = all.find(mark)) == std::string::npos) {
      if (!read_more(all))
        throw error(errc::closed, "closed before \"" + std::string(mark) + "\", after: " + all);
    }
    unread_ = all.substr(found + mark.size());
    all.resize(found + mark.size());
    return all;
  }
  /// The next so many bytes.
  std::string read_exactly(std::size_t count) {
    std::string all = std::move(unread_);
    while (all.size() < count) {
      if (!read_more(all)) throw error(errc::closed, "closed after: " + all);
    }
    unread_ = all.substr(count);
    all.resize(count);
    return all;
  }
  /// Sends a request whose answer says its length, and gives its body.
  std::string body_of(std::string_view request) {
    send(request);
    const std::string head = read_until("\r\n\r\n");
    return read_exactly(std::stoul(head.substr(head.find("Content-Length: ") + 16)));
  }
  std::string ask(std::string_view bytes) {
    send(bytes);
    stream_.shutdown_write();
    return read_to_end();
  }
  net::stream& stream() noexcept { return stream_; }

 private:
  bool read_more(std::string& into) {
    char piece[4096];
    const auto count = stream_.read_some_until(piece, steady_clock::now() + std::chrono::seconds(20));
    if (!count) throw error(errc::timed_out, "the server neither answers nor closes, after: " + into);
    into.append(piece, *count);
    return *count > 0;
  }

  net::stream stream_;
  std::string unread_;
};

/// Options of a server for a test: any free port.
inline server_options on_any_port() { return {.listen = "127.0.0.1:0"}; }

/// How often `part` stands in `text`.
inline std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size()))
    ++count;
  return count;
}

/// What a handler does that only its cancellation ends; and why it was cancelled.
struct endless_work {
  event begun;
  std::optional<cancel_reason> why;

  void run() {
    begun.set();
    try {
      sleep_for(std::chrono::hours(1));
    } catch (const cancelled& stop) {
      why = stop.reason();
      throw;
    }
  }
};

/// Waits, in turns, until `so`.
template <typename So>
void wait_until_it_is(So&& so) {
  while (!so()) sleep_for(std::chrono::milliseconds(2));
}

}  // namespace weft::http
